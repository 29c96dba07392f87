#include <algorithm>

#include "keepalived/keepalived_spec.h"

namespace keepalived {

namespace {

bool has_vip(const Instance& instance, const Seen& seen) {
  const auto is_there = [&seen](const base::IpAddress& vip) {
    return std::find(seen.addresses.begin(), seen.addresses.end(), vip) != seen.addresses.end();
  };
  return std::any_of(instance.vips.begin(), instance.vips.end(), is_there);
}

}  // namespace

Role role_of(const Instance& instance, const Seen& seen) {
  if (has_vip(instance, seen)) return Role::master;
  return seen.runs && seen.link_is_up && seen.checks_pass ? Role::backup : Role::fault;
}

const char* to_text(Role role) {
  switch (role) {
    case Role::master:
      return "MASTER";
    case Role::backup:
      return "BACKUP";
    case Role::fault:
      return "FAULT";
  }
  return "";
}

}  // namespace keepalived
