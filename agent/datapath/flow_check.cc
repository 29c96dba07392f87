#include "agent/datapath/flow_check.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <utility>

#include "bpf/flow_layout.h"

namespace datapath {
namespace {

using Tuple = std::array<uint64_t, 6>;  // the tuple, and IPv6's two addresses

Tuple tuple_of(const FlowLines& lines, uint32_t index) {
  Tuple tuple{};
  std::memcpy(tuple.data(), &lines.line(index).tuple, sizeof(lb_tuple));
  if (lines.family() == base::Family::ipv6)
    std::memcpy(&tuple[2], &lines.line6(index).src, 2 * sizeof(lb_addr));
  return tuple;
}

bool is_reply(uint64_t word) { return lb_word_is_live(word) && !lb_word_is_forward(word); }

class Check {
 public:
  Check(const FlowLines& lines, const lb_info& info, CheckScope scope,
        std::vector<FlowFault>& faults)
      : lines_(lines), info_(info), scope_(scope), faults_(faults) {}

  void run() {
    for (uint32_t index = 0; index < lines_.count(); index++) check_line(index);
    check_locks();
    check_tuples();
    // Two runs that nest on one CPU may use a position twice; and the very first flow of line 0
    // looks like no entry in its ring.
    if (half_open_ > lines_.half().size() + 2 * info_.cpus + 1)
      fault(0, "too many flows are half-open");
  }

 private:
  void fault(uint32_t index, const char* what) {
    faults_.push_back({lines_.family(), index, lines_.line(index).word, what});
  }

  void check_line(uint32_t index) {
    const lb_flow& line = lines_.line(index);
    const uint32_t state = lb_word_state(line.word);
    if (state == LB_FLOW_FREE) return;
    if (state >= LB_FLOW_STATES) return fault(index, "the state is unknown");
    if (state == LB_FLOW_BUSY) return fault(index, "busy, and nobody is at it");
    if (scope_ == CheckScope::after_sweep && (state == LB_FLOW_DEAD || state == LB_FLOW_DEAD_REPLY))
      return fault(index, "dead after a sweep");
    if (state == LB_FLOW_DEAD_REPLY) return;
    check_peer(index, line);
    if (state == LB_FLOW_DEAD) return;
    half_open_ += state == LB_FLOW_HALF_OPEN;
    check_bucket(index, line);
    live_.push_back(index);
  }

  void check_peer(uint32_t index, const lb_flow& line) {
    const lb_flow* peer = lines_.peer(line);
    if (peer == nullptr || peer->peer != index)
      return fault(index, "the line it names does not name it");
    if (is_reply(line.word)) {
      if (!lb_word_is_forward(peer->word) && lb_word_state(peer->word) != LB_FLOW_DEAD)
        fault(index, "a reply line without its forward line");
    } else if (!is_reply(peer->word) && !(lb_word_state(line.word) == LB_FLOW_DEAD &&
                                          lb_word_state(peer->word) == LB_FLOW_DEAD_REPLY)) {
      fault(index, "a forward line without its reply line");
    }
  }

  void check_bucket(uint32_t index, const lb_flow& line) {
    const uint64_t hash = lb_hash_tuple(&line.tuple, info_.seed);
    const uint32_t home = lb_home_line(hash, lines_.count()) / LB_FLOW_WAYS;
    const uint32_t second = lb_second_line(hash, lines_.count()) / LB_FLOW_WAYS;
    const uint32_t bucket = index / LB_FLOW_WAYS;
    if (bucket == home) return;
    if (bucket != second) return fault(index, "in a bucket that is not its tuple's");
    if ((lines_.buckets()[home].lock & LB_BUCKET_SPILLED) == 0)
      fault(index, "in its second bucket, which the first one does not say");
  }

  void check_locks() {
    for (uint32_t bucket = 0; bucket < lines_.buckets().size(); bucket++)
      if ((lines_.buckets()[bucket].lock & LB_BUCKET_HELD) != 0)
        fault(bucket * LB_FLOW_WAYS, "the lock is held, and nobody is at it");
  }

  void check_tuples() {
    std::vector<std::pair<Tuple, uint32_t>> tuples;
    tuples.reserve(live_.size());
    for (uint32_t index : live_) tuples.emplace_back(tuple_of(lines_, index), index);
    std::sort(tuples.begin(), tuples.end());
    for (size_t i = 1; i < tuples.size(); i++)
      if (tuples[i].first == tuples[i - 1].first)
        fault(tuples[i].second, "the tuple is live twice");
  }

  const FlowLines& lines_;
  const lb_info& info_;
  CheckScope scope_;
  std::vector<FlowFault>& faults_;
  std::vector<uint32_t> live_;
  uint64_t half_open_ = 0;
};

}  // namespace

std::string FlowFault::text() const {
  char place[80];
  std::snprintf(place, sizeof(place), "IPv%d line %u, word %016llx: ", static_cast<int>(family),
                line, static_cast<unsigned long long>(word));
  return place + what;
}

std::vector<FlowFault> check_flows(const FlowMemory& memory, CheckScope scope) {
  std::vector<FlowFault> faults;
  for (base::Family family : {base::Family::ipv4, base::Family::ipv6})
    Check(memory.lines(family), memory.info(), scope, faults).run();
  return faults;
}

}  // namespace datapath
