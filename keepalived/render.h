// The text of keepalived's configuration. Pure and deterministic: the same values, the same bytes.
#pragma once

#include <string>
#include <vector>

#include "keepalived/keepalived_spec.h"

namespace keepalived {

// Document::parse() gives the same value back.
std::string render(const Instance& instance);

// Puts `vips` where they belong: those of the family in which the nodes speak to each other are
// advertised, the others go along.
void place_vips(Instance& instance, const std::vector<base::IpAddress>& vips);

}  // namespace keepalived
