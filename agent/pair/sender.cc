#include "agent/pair/sender.h"

#include <algorithm>
#include <utility>

namespace pair {

namespace {

template <class Batch, class One>
void flush(std::vector<One>& ones, size_t least, uint64_t& records, std::string& out) {
  if (ones.size() < std::max<size_t>(least, 1)) return;
  records += ones.size();
  out += encode(Batch{std::move(ones)});
  ones.clear();
}

}  // namespace

void Sender::begin() {
  source_->begin();
  source_->changes();
  lost_ = source_->changes_lost();
  records_ = 0;
  tells_answered_ = false;
  at_.reset();
  last_.reset();
  walked_.reset();
  next_ = {};
}

void Sender::walk_soon(Time now) {
  next_ = std::min(next_, last_ ? std::max(now, *last_ + kWalkAtMostEvery) : now);
}

void Sender::produce(Time now, Tells tells, std::string& out) {
  const uint64_t lost = source_->changes_lost();
  if (tells == Tells::nothing)
    source_->changes();  // a walk tells of them, if ever
  else
    tell_changes(out);
  if (tells != Tells::nothing && std::exchange(tells_answered_, false)) {
    std::vector<Flow> answered;
    source_->answered(answered);
    tell(answered, out);
  }
  if (lost != lost_) {
    lost_ = lost;
    walk_soon(now);
  }
  if (tells != tells_) {
    tells_ = tells;
    at_.reset();
    walked_.reset();
    next_ = {};
  }
  if (tells == Tells::all) walk(now, out);
}

// A change says only which flow it was: what is told is how it is now. Flows and ends of different
// flows may change places, those of one line may not.
void Sender::tell_changes(std::string& out) {
  std::vector<Flow> flows;
  std::vector<Name> ends;
  for (const Name& name : source_->changes()) {
    if (auto flow = source_->read(name)) {
      flush<Ends>(ends, 1, records_, out);
      flows.push_back(std::move(*flow));
      flush<Flows>(flows, kMostFlows, records_, out);
    } else {
      flush<Flows>(flows, 1, records_, out);
      ends.push_back(name);
      flush<Ends>(ends, kMostEnds, records_, out);
    }
  }
  flush<Flows>(flows, 1, records_, out);
  flush<Ends>(ends, 1, records_, out);
}

void Sender::tell(const std::vector<Flow>& flows, std::string& out) {
  for (size_t first = 0; first < flows.size(); first += kMostFlows) {
    const auto last = std::min(first + kMostFlows, flows.size());
    std::vector<Flow> some(flows.begin() + static_cast<ptrdiff_t>(first),
                           flows.begin() + static_cast<ptrdiff_t>(last));
    flush<Flows>(some, 1, records_, out);
  }
}

void Sender::walk(Time now, std::string& out) {
  if (!at_) {
    if (now < next_) return;
    at_ = 0;
    last_ = now;
    next_ = now + kWalkEvery;
    walks_++;
    out += encode(WalkBegin{});
  }
  std::vector<Flow> found;
  at_ = source_->slice(*at_, kSlice, found);
  tell(found, out);
  if (at_) return;
  out += encode(WalkEnd{});
  if (!walked_) walked_ = records_;
}

}  // namespace pair
