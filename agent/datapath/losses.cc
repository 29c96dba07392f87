#include "agent/datapath/losses.h"

#include <cerrno>
#include <utility>

namespace datapath {
namespace {

// Not the moment, but the driver.
bool takes_none(int error) { return error == ENXIO || error == EOPNOTSUPP; }

}  // namespace

std::set<uint32_t> Losses::look(const std::map<uint32_t, Lost>& now) {
  losing_.clear();
  std::set<uint32_t> refused, fresh;
  for (const auto& [ifindex, lost] : now) {
    const Lost before = std::exchange(before_[ifindex], lost);
    if (lost.packets == before.packets || lost.error == 0) continue;
    losing_[ifindex] = {lost.packets - before.packets, lost.error};
    if (!takes_none(lost.error)) continue;
    refused.insert(ifindex);
    if (refused_before_.contains(ifindex) && refusing_.insert(ifindex).second)
      fresh.insert(ifindex);
  }
  refused_before_ = std::move(refused);
  return fresh;
}

void Losses::forget_others(const std::set<uint32_t>& interfaces) {
  const auto is_other = [&](uint32_t ifindex) { return !interfaces.contains(ifindex); };
  std::erase_if(before_, [&](const auto& one) { return is_other(one.first); });
  std::erase_if(losing_, [&](const auto& one) { return is_other(one.first); });
  std::erase_if(refused_before_, is_other);
  std::erase_if(refusing_, is_other);
}

}  // namespace datapath
