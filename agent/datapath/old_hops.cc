#include "agent/datapath/old_hops.h"

#include "agent/datapath/lb_maps.h"

namespace datapath {

using base::Result;
using base::Status;
using base::Unit;

Status OldHops::learn() {
  auto ids = old_->entries(kNexthopIds);
  if (!ids) return ids.error();
  for (const auto& [key, id] : *ids) keys_[id] = key;
  return Unit{};
}

Result<uint16_t> OldHops::ours(uint16_t old) {
  if (old == 0) return uint16_t{0};
  if (const auto known = ids_.find(old); known != ids_.end())
    return static_cast<uint16_t>(known->second);
  const auto key = keys_.find(old);
  auto id = make(old, key == keys_.end() ? nullptr : &key->second);
  if (!id) return id.error();
  if (*id != 0) ids_[old] = *id;
  return static_cast<uint16_t>(*id);
}

Result<uint32_t> OldHops::make(uint32_t old, const lb_nexthop_key* key) {
  if (key != nullptr) {
    auto known = ours_->get(kNexthopIds, *key);
    if (!known) return known.error();
    if (*known) return **known;
  }
  auto value = old_->get(kNexthops, old);
  if (!value) return value.error();
  auto id = ours_->pop(kFreeNexthops);
  if (!id) return id.error();
  if (!*id || !*value) return 0u;
  if (auto put = ours_->put(kNexthops, **id, **value); !put) return put.error();
  if (key != nullptr)
    if (auto put = ours_->put(kNexthopIds, *key, **id); !put) return put.error();
  return **id;
}

}  // namespace datapath
