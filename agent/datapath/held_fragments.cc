#include "agent/datapath/held_fragments.h"

#include <utility>

namespace datapath {

HeldFragments::Room HeldFragments::keep(HeldFragment fragment) {
  if (waiting_.size() >= kMost || bytes_ + fragment.frame.size() > kMostBytes) return Room::none;
  size_t& of_source = of_source_[fragment.key.src];
  if (of_source >= kMostOfSource) return Room::none;
  of_source++;
  bytes_ += fragment.frame.size();
  waiting_.push_back(std::move(fragment));
  return Room::there;
}

HeldFragments::Due HeldFragments::take_due(
    std::chrono::nanoseconds now, const std::function<bool(const lb_trace_key&)>& has_come) {
  std::map<lb_trace_key, bool, BytesLess<lb_trace_key>> known;
  std::deque<HeldFragment> still;
  Due due;
  for (HeldFragment& fragment : waiting_) {
    auto found = known.find(fragment.key);
    if (found == known.end()) found = known.emplace(fragment.key, has_come(fragment.key)).first;
    if (!found->second && now - fragment.at < kPatience) {
      still.push_back(std::move(fragment));
      continue;
    }
    forget(fragment);
    (found->second ? due.go : due.lost).push_back(std::move(fragment));
  }
  waiting_ = std::move(still);
  return due;
}

void HeldFragments::forget(const HeldFragment& fragment) {
  bytes_ -= fragment.frame.size();
  const auto of_source = of_source_.find(fragment.key.src);
  if (--of_source->second == 0) of_source_.erase(of_source);
}

}  // namespace datapath
