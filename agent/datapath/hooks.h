// Hooks: where the program is attached to each interface, as configured.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace datapath {

enum class Hook {
  automatic,  // native XDP where it forwards; see Links
  xdp,        // native, or generic where the driver refuses
  generic,    // XDP on what the kernel has received already
  tc,         // tc ingress
};

struct HookWord {
  static constexpr const char* kMust = "must be one of auto, xdp, tc, generic";

  static std::optional<Hook> parse(std::string_view word) {
    if (word == "auto") return Hook::automatic;
    if (word == "xdp") return Hook::xdp;
    if (word == "generic") return Hook::generic;
    if (word == "tc") return Hook::tc;
    return std::nullopt;
  }
};

struct Hooks {
  Hook others = Hook::automatic;
  std::map<std::string, Hook> by_interface = {};  // by name

  Hook of(const std::string& interface) const {
    const auto found = by_interface.find(interface);
    return found == by_interface.end() ? others : found->second;
  }
};

}  // namespace datapath
