// The few files of HAProxy's: text for root only, replaced whole.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>

#include "base/result.h"

namespace haproxy {

// Whole or not at all (base::replace_file); mode 0600.
base::Status write_file(const std::string& path, const std::string& text);

// Made if it is not there; mode 0700.
base::Status make_private_folder(const std::string& path);
// All of them; the first that cannot be made is the error.
base::Status make_private_folders(std::initializer_list<std::string> paths);

// nullopt: cannot be read.
std::optional<std::string> read_file(const std::string& path, size_t from = 0);

}  // namespace haproxy
