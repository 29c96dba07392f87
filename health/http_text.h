// The little of HTTP/1 that a health check says and hears.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "health/health_spec.h"
#include "health/state.h"

namespace health {

constexpr size_t kMaxResponseHeader = 8192;  // bytes that are read of an answer

std::string request_text(const Target& target);

enum class Reading {
  complete,  // whole header, or as much as is read of one
  wanting,   // more is needed
  not_http
};
Reading examine(std::string_view received);

// Of a complete answer.
Probed judge(std::string_view received, const Target& target);

}  // namespace health
