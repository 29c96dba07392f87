// Flows: a table of 64 lines in each family, empty at the start of every test, whose operations are
// run one by one; after every test the invariants are checked.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "agent/datapath/flow_table.h"
#include "bpf/flow_layout.h"
#include "tests/bpf/flow_table/flow_object.h"
#include "tests/bpf/flow_table/flow_ops.h"

namespace flow_test {

inline constexpr uint32_t kService = 3, kBackend = 7;
inline constexpr uint32_t kLines = 64, kRing = kLines / LB_HALF_SHARE;
// enum flow_refusal of bpf/flow_change.h, which only a BPF program can include
inline constexpr int kExists = -1, kNoRoom = -2, kNotFound = -1;
// enum flow_change of bpf/flow_state.h
inline constexpr int kSwallowed = -3, kOverLimit = -1, kChanged = 1;
// the same of bpf/flow_state.h
inline constexpr uint32_t kFin = 0x11, kSyn = 0x02, kSynAck = 0x12, kRst = 0x04, kAck = 0x10,
                          kDatagram = 0x100;

struct Hit {
  uint32_t index;
  uint64_t word;
};

class Flows : public ::testing::Test {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite();
  void SetUp() override;
  void TearDown() override;

  // The lines of flow `id` before they are inserted: client, its port 1000 + id -> VIP:80; SNAT
  // port 20000 + id -> member:8080.
  lb_flow6 client_line(uint32_t id) const;
  lb_flow6 member_line(uint32_t id) const;

  int insert(const lb_flow6& line);
  std::optional<Hit> find(const lb_flow6& line);
  uint64_t next_position();
  bool drop(Hit hit);
  void give_back(int reply);
  // A packet of the flow that was found, with these flags: has the state changed?
  bool note(Hit hit, uint32_t flags) { return operate_note(hit, flags) == kChanged; }
  int operate_note(Hit hit, uint32_t flags, uint32_t seq = 0, uint32_t ack = 0);
  void set_limit(uint32_t service, const lb_limit& limit);

  // As the datapath makes one: its forward line, or why there is none.
  int new_flow(uint32_t id);
  void open(uint32_t id);  // SYN-ACK and ACK have passed
  uint32_t state(uint32_t id) { return find_client(id) ? word_state(find_client(id)->word) : 0; }
  std::optional<Hit> find_client(uint32_t id) { return find(client_line(id)); }
  std::optional<Hit> find_member(uint32_t id) { return find(member_line(id)); }
  static uint32_t word_state(uint64_t word) { return lb_word_state(word); }

  // Ids of flows whose line of this side has its home in bucket `home` (and second in `second`).
  enum class Side { client, member };
  std::vector<uint32_t> ids_in(Side side, uint32_t home, std::optional<uint32_t> second,
                               size_t count) const;
  uint32_t home_of(const lb_flow6& line) const;

  const datapath::FlowMemory& memory() const { return *memory_; }
  base::Result<datapath::FlowMemory> map() const { return object_->memory(); }  // once more
  base::Result<datapath::EndedRing> ended_ring() const {
    return datapath::EndedRing::map(object_->map("lb_ended"), "lb_ended");
  }
  const datapath::FlowLines& lines() const { return memory().lines(family_); }
  lb_flow& line(uint32_t index) const { return lines().line(index); }
  lb_service_counters counted(uint32_t service) const;  // lb_service_cnt, all CPUs

  base::Family family_ = base::Family::ipv4;
  uint8_t protocol_ = 6;

 private:
  int operate(flow_op_kind kind);

  static std::unique_ptr<FlowObject> object_;
  static std::unique_ptr<datapath::FlowMemory> memory_;
  static flow_op* op_;
};

}  // namespace flow_test
