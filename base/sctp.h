// Packets of SCTP (RFC 9260), for who sends them without the kernel's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace base {

// CRC-32C (appendix A). Its bytes go out lowest first, other than every other field.
uint32_t crc32c(std::string_view bytes);

// Common header, with its checksum, and the chunks as they are. Ports and tag: host order.
std::string sctp_packet(uint16_t from, uint16_t to, uint32_t tag, std::string_view chunks);

// ABORT without a cause.
std::string sctp_abort(uint16_t from, uint16_t to, uint32_t tag);

}  // namespace base
