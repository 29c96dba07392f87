#include "tests/bpf/flow_table/flow_fixture.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "agent/datapath/flow_check.h"

namespace flow_test {

std::unique_ptr<FlowObject> Flows::object_;
std::unique_ptr<datapath::FlowMemory> Flows::memory_;
flow_op* Flows::op_ = nullptr;

namespace {

template <class T>
void clear(std::span<T> elements) {
  std::memset(static_cast<void*>(elements.data()), 0, elements.size_bytes());
}

lb_flow6 make_line(base::Family family, uint8_t protocol, const char* src, uint16_t sport,
                   const char* dst, uint16_t dport, uint64_t seed) {
  lb_flow6 made{};
  lb_tuple& tuple = made.line.tuple;
  tuple.proto = protocol;
  tuple.family = static_cast<uint8_t>(family);
  tuple.sport = htons(sport);
  tuple.dport = htons(dport);
  const auto source = base::IpAddress::parse(src), destination = base::IpAddress::parse(dst);
  std::memcpy(made.src.ip, source->bytes(), source->size());
  std::memcpy(made.dst.ip, destination->bytes(), destination->size());
  if (family == base::Family::ipv6) {
    const uint64_t hash = lb_hash_addresses(&made.src, &made.dst, seed);
    tuple.src = static_cast<uint32_t>(hash);
    tuple.dst = static_cast<uint32_t>(hash >> 32);
  } else {
    tuple.src = made.src.ip[0];
    tuple.dst = made.dst.ip[0];
  }
  made.line.seen = 1;
  return made;
}

}  // namespace

void Flows::SetUpTestSuite() {
  auto object = FlowObject::load(FLOW_OPS_OBJECT, {kLines, kLines, 1});
  ASSERT_TRUE(object) << object.error().message();
  object_ = std::make_unique<FlowObject>(std::move(object).value());
  auto memory = object_->memory();
  ASSERT_TRUE(memory) << memory.error().message();
  memory_ = std::make_unique<datapath::FlowMemory>(std::move(memory).value());
  void* op = mmap(nullptr, sizeof(flow_op), PROT_READ | PROT_WRITE, MAP_SHARED,
                  object_->map("flow_ops"), 0);
  ASSERT_NE(op, MAP_FAILED);
  op_ = static_cast<flow_op*>(op);
}

void Flows::TearDownTestSuite() {
  munmap(op_, sizeof(flow_op));
  memory_.reset();
  object_.reset();
}

void Flows::SetUp() {
  ASSERT_NE(op_, nullptr);
  for (base::Family family : {base::Family::ipv4, base::Family::ipv6}) {
    const datapath::FlowLines& table = memory().lines(family);
    for (uint32_t i = 0; i < table.count(); i++) {
      table.line(i) = lb_flow{};
      if (family == base::Family::ipv6) table.line6(i) = lb_flow6{};
    }
    clear(table.buckets());
    clear(table.half());
  }
  clear(memory().cpus());
  clear(memory().service_use());
  clear(memory().backend_use());
  clear(memory().service_sum());
  for (uint32_t service = 0; service < 2 * kService; service++) set_limit(service, {});
  memory().clock().tick = 1;
  const std::vector<lb_service_counters> zero(static_cast<size_t>(libbpf_num_possible_cpus()));
  bpf_map_update_elem(object_->map("lb_service_cnt"), &kService, zero.data(), BPF_ANY);
}

void Flows::TearDown() {
  if (memory_ == nullptr) return;
  for (const auto& fault : datapath::check_flows(memory(), datapath::CheckScope::at_rest))
    ADD_FAILURE() << fault.text();
}

lb_flow6 Flows::client_line(uint32_t id) const {
  const bool six = family_ == base::Family::ipv6;
  lb_flow6 made = make_line(family_, protocol_, six ? "2001:db8::1" : "192.0.2.1",
                            static_cast<uint16_t>(1000 + id), six ? "2001:db8::80" : "192.0.2.80",
                            80, memory().info().seed);
  const lb_flow6 back = member_line(id);
  made.line.rewrite.src = back.dst.ip[0];
  made.line.rewrite.dst = back.src.ip[0];
  made.line.rewrite.sport = back.line.tuple.dport;
  made.line.rewrite.dport = back.line.tuple.sport;
  made.new_src = back.dst;
  made.new_dst = back.src;
  made.line.owner = kService;
  made.line.nexthop = 11;
  return made;
}

lb_flow6 Flows::member_line(uint32_t id) const {
  const bool six = family_ == base::Family::ipv6;
  lb_flow6 made = make_line(family_, protocol_, six ? "2001:db8:1::7" : "198.51.100.7", 8080,
                            six ? "2001:db8:1::2" : "198.51.100.2",
                            static_cast<uint16_t>(20000 + id), memory().info().seed);
  made.line.peer = LB_FLOW_NONE;
  made.line.owner = kBackend;
  made.line.nexthop = 12;
  return made;
}

int Flows::operate(flow_op_kind kind) {
  op_->kind = kind;
  op_->family = static_cast<uint32_t>(family_);
  op_->result = -1000;
  auto ran = run(object_->program("flow_op"));
  EXPECT_TRUE(ran) << ran.error().message();
  return op_->result;
}

int Flows::insert(const lb_flow6& line) {
  op_->made = line;
  return operate(FLOW_OP_INSERT);
}

std::optional<Hit> Flows::find(const lb_flow6& line) {
  op_->made = line;
  const int index = operate(FLOW_OP_FIND);
  if (index == kNotFound) return std::nullopt;
  return Hit{static_cast<uint32_t>(index), op_->word};
}

uint64_t Flows::next_position() {
  operate(FLOW_OP_POSITION);
  return op_->made.line.word;
}

bool Flows::drop(Hit hit) {
  op_->index = hit.index;
  op_->word = hit.word;
  return operate(FLOW_OP_DROP) != 0;
}

void Flows::give_back(int reply) {
  op_->index = static_cast<uint32_t>(reply);
  operate(FLOW_OP_GIVE_BACK);
}

int Flows::operate_note(Hit hit, uint32_t flags, uint32_t seq, uint32_t ack) {
  op_->index = hit.index;
  op_->word = hit.word;
  op_->flags = flags;
  op_->seq = seq;
  op_->ack = ack;
  return operate(FLOW_OP_NOTE);
}

void Flows::set_limit(uint32_t service, const lb_limit& limit) {
  EXPECT_EQ(bpf_map_update_elem(object_->map("lb_limits"), &service, &limit, BPF_ANY), 0);
}

int Flows::new_flow(uint32_t id) {
  lb_flow6 back = member_line(id);
  back.line.word = next_position();
  const int reply = insert(back);
  if (reply < 0) return reply;
  lb_flow6 forward = client_line(id);
  forward.line.word = back.line.word;
  forward.line.peer = static_cast<uint32_t>(reply);
  const int made = insert(forward);
  if (made < 0) give_back(reply);
  return made;
}

void Flows::open(uint32_t id) {
  note(*find_member(id), protocol_ == 6 ? kSynAck : kDatagram);
  note(*find_client(id), protocol_ == 6 ? kAck : kDatagram);
  ASSERT_EQ(state(id), LB_FLOW_OPEN);
}

uint32_t Flows::home_of(const lb_flow6& line) const {
  return lb_home_line(lb_hash_tuple(&line.line.tuple, memory().info().seed), kLines);
}

std::vector<uint32_t> Flows::ids_in(Side side, uint32_t home, std::optional<uint32_t> second,
                                    size_t count) const {
  std::vector<uint32_t> ids;
  for (uint32_t id = 0; id < 40000 && ids.size() < count; id++) {
    const lb_flow6 made = side == Side::client ? client_line(id) : member_line(id);
    const uint64_t hash = lb_hash_tuple(&made.line.tuple, memory().info().seed);
    if (lb_home_line(hash, kLines) / LB_FLOW_WAYS != home) continue;
    if (second && lb_second_line(hash, kLines) / LB_FLOW_WAYS != *second) continue;
    ids.push_back(id);
  }
  EXPECT_EQ(ids.size(), count);
  return ids;
}

lb_service_counters Flows::counted(uint32_t service) const {
  std::vector<lb_service_counters> cpus(static_cast<size_t>(libbpf_num_possible_cpus()));
  bpf_map_lookup_elem(object_->map("lb_service_cnt"), &service, cpus.data());
  lb_service_counters sum{};
  for (const lb_service_counters& cpu : cpus) {
    sum.bytes_in += cpu.bytes_in;
    sum.bytes_out += cpu.bytes_out;
  }
  return sum;
}

}  // namespace flow_test
