// Any request at all: routed, read, and carried out on a model. Input: "METHOD target\nbody".
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <variant>

#include "agent/control/router.h"
#include "agent/model/edit/edit.h"
#include "agent/model/show/json.h"
#include "agent/model/show/query.h"

namespace {

using control::Action;
using control::Call;
using model::Kind;

// A load balancer with everything, whose ids the corpus knows.
const model::Model& example() {
  static const model::Model model = [] {
    model::Model m;
    const auto id = [](uint8_t n) {
      base::Uuid uuid;
      uuid.bytes[15] = n;
      return uuid;
    };
    model::LoadBalancer lb;
    lb.id = id(1);
    lb.vip_address = *base::IpAddress::parse("203.0.113.10");
    m.load_balancers[lb.id] = lb;
    model::Pool pool;
    pool.id = id(3);
    pool.load_balancer = lb.id;
    m.pools[pool.id] = pool;
    model::Listener listener;
    listener.id = id(2);
    listener.load_balancer = lb.id;
    listener.protocol_port = 80;
    listener.default_pool = pool.id;
    m.listeners[listener.id] = listener;
    model::Member member;
    member.id = id(4);
    member.pool = pool.id;
    member.address = *base::IpAddress::parse("192.0.2.11");
    member.protocol_port = 8080;
    m.members[member.id] = member;
    return m;
  }();
  return model;
}

model::Outcome<model::Edited> carry_out(const Call& call) {
  const model::Context context{};
  switch (call.action) {
    case Action::create:
      return model::create(example(), call.kind, call.parent, call.body, context);
    case Action::update:
      return model::update(example(), call.kind, call.parent, call.id, call.body, context);
    case Action::replace_members:
      return model::replace_members(example(), call.parent, call.body, model::Additive::no,
                                    context);
    case Action::remove:
      return model::remove(example(), call.kind, call.parent, call.id, model::Cascade::yes,
                           context);
    default:
      return model::Fault{404, "reads"};
  }
}

void list(const Call& call) {
  std::vector<nlohmann::json> rows;
  for (const auto& [id, listener] : example().listeners)
    rows.push_back(model::show(example(), listener));
  (void)model::list(model::listable(Kind::listener), rows, call.query, call.collection);
}

void check(bool holds) {
  if (!holds) std::abort();
}

// What a change leaves must hold together: it is saved, and comes back the same.
void check_edited(const model::Edited& edited) {
  const nlohmann::json saved = model::save(edited.model);
  const auto loaded = model::load(saved);
  check(loaded.ok());
  check(model::save(*loaded) == saved);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t line = text.find('\n');
  const std::string_view head = text.substr(0, line);
  const std::string_view body = line == std::string_view::npos ? "" : text.substr(line + 1);
  const size_t space = head.find(' ');
  const std::string_view target = space == std::string_view::npos ? "/" : head.substr(space + 1);
  const auto routed = control::route(head.substr(0, space), target, body);
  if (const auto* refusal = std::get_if<control::NoRoute>(&routed)) {
    check(refusal->fault.status >= 400 && !refusal->fault.text.empty());
    check((refusal->fault.status == 405) == !refusal->allow.empty());
    return 0;
  }
  const Call& call = std::get<Call>(routed);
  if (call.action == Action::list && call.kind == Kind::listener) list(call);
  const auto outcome = carry_out(call);
  if (const auto* edited = std::get_if<model::Edited>(&outcome)) check_edited(*edited);
  return 0;
}
