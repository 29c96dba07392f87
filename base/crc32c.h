// CRC-32C, by which SCTP packets are checked (RFC 9260, appendix A).
#pragma once

#include <cstdint>
#include <string_view>

namespace base {

// Its bytes go out lowest first, other than every other field.
uint32_t crc32c(std::string_view bytes);

}  // namespace base
