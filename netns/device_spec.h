// What a driver says of an interface, and how XDP runs on it, as values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace netns {

// How an XDP program runs on an interface.
enum class XdpMode : uint8_t {
  none,
  generic,  // in the kernel's stack
  native,   // in the driver, or in the device
};

struct Offload {
  bool on = false;
  bool fixed = false;  // nobody can change it from here

  friend bool operator==(const Offload&, const Offload&) = default;
};

// Pairs of a receive and a transmit queue.
struct Queues {
  uint32_t now = 0, most = 0;

  friend bool operator==(const Queues&, const Queues&) = default;
};

// What the driver of an interface says of it.
struct Device {
  std::string driver;
  std::map<std::string, Offload> features;  // by the kernel's names: "rx-gro-hw"
  std::optional<Queues> queues;             // none: the driver does not count them

  bool is_on(const std::string& feature) const {
    const auto found = features.find(feature);
    return found != features.end() && found->second.on;
  }

  friend bool operator==(const Device&, const Device&) = default;
};

}  // namespace netns
