// What a listener has carried, since some beginning that the holder names.
#pragma once

#include <cstdint>

namespace statistics {

// In: from clients. Bytes of L4 payload.
struct Traffic {
  uint64_t connections = 0;
  uint64_t bytes_in = 0, bytes_out = 0;
  uint64_t request_errors = 0;  // of HAProxy: requests that could not be read

  friend bool operator==(const Traffic&, const Traffic&) = default;
};

}  // namespace statistics
