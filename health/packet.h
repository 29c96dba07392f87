// Packets of raw sockets: what the kernel does not do for them.
#pragma once

#include <cstdint>
#include <string_view>

namespace health {

// RFC 1071; host order.
uint16_t internet_checksum(std::string_view bytes);

// What an IPv4 packet carries; empty: it is none.
std::string_view without_ipv4_header(std::string_view packet);

}  // namespace health
