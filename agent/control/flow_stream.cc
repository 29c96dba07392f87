#include "agent/control/flow_stream.h"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <map>
#include <string>
#include <string_view>

#include "agent/http/response.h"

namespace control {
namespace {

constexpr size_t kLinesAtOnce = 512;
constexpr size_t kPiece = 32 * 1024;  // bytes that are worth a write

std::string named(std::string_view noun, const base::Uuid& id, const std::string* name) {
  const std::string id_text = id.is_nil() ? "null" : "\"" + id.text() + "\"";
  const std::string name_text = name == nullptr ? "null" : http::dump(*name);
  return ",\"" + std::string(noun) + "_id\":" + id_text + ",\"" + std::string(noun) +
         "_name\":" + name_text;
}

template <class Resource>
const std::string* name_of(const std::map<base::Uuid, Resource>& resources, const base::Uuid& id) {
  const auto found = resources.find(id);
  return found == resources.end() ? nullptr : &found->second.name;
}

// JSON of the ids and names of listeners and members, with their load balancer or pool: written
// once for each, as a dump may have a million flows.
class Names {
 public:
  explicit Names(const model::Model& m) {
    for (const auto& [id, listener] : m.listeners)
      listeners_[id] = named("listener", id, &listener.name) +
                       named("loadbalancer", listener.load_balancer,
                             name_of(m.load_balancers, listener.load_balancer));
    for (const auto& [id, member] : m.members)
      members_[id] = named("member", id, &member.name) +
                     named("pool", member.pool, name_of(m.pools, member.pool));
  }

  std::string listener(const base::Uuid& id) const {
    const auto found = listeners_.find(id);
    if (found != listeners_.end()) return found->second;
    return named("listener", id, nullptr) + named("loadbalancer", {}, nullptr);
  }
  std::string member(const base::Uuid& id) const {
    const auto found = members_.find(id);
    if (found != members_.end()) return found->second;
    return named("member", id, nullptr) + named("pool", {}, nullptr);
  }

 private:
  std::map<base::Uuid, std::string> listeners_, members_;
};

// By hand: a JSON tree for each of a million flows would take seconds. Only names need escapes.
void append_line(std::string& out, const Flow& flow, const Names& names) {
  const auto text = [&out](std::string_view key, std::string_view value) {
    out.append(",\"").append(key).append("\":\"").append(value).append("\"");
  };
  const auto number = [&out](std::string_view key, auto value) {
    out.append(",\"").append(key).append("\":").append(std::to_string(value));
  };
  out.append("{\"protocol\":\"").append(flow.protocol).append("\"");
  text("state", flow.state);
  text("client", flow.client.text());
  text("vip", flow.vip.text());
  text("snat", flow.snat.text());
  text("member", flow.member.text());
  number("idle_ms", flow.idle.count());
  number("bytes_in", flow.bytes_in);
  number("bytes_out", flow.bytes_out);
  out.append(names.listener(flow.listener_id)).append(names.member(flow.member_id)).append("}\n");
}

class FlowStream final : public http::BodyStream {
 public:
  FlowStream(std::unique_ptr<FlowWalk> walk, FlowFilter filter, const model::Model& m)
      : walk_(std::move(walk)), filter_(std::move(filter)), names_(m) {}

  boost::asio::awaitable<std::string> next() override {
    std::string piece;
    const auto visit = [this, &piece](const Flow& flow) {
      if (filter_.limit == 0 || !filter_.matches(flow)) return;
      append_line(piece, flow, names_);
      --filter_.limit;
    };
    while (!done_ && piece.size() < kPiece) {
      done_ = walk_->slice(kLinesAtOnce, visit) == FlowWalk::Next::done || filter_.limit == 0;
      // A large table with few flows must not keep the others waiting.
      const auto loop = co_await boost::asio::this_coro::executor;
      co_await boost::asio::post(loop, boost::asio::use_awaitable);
    }
    co_return piece;
  }

 private:
  std::unique_ptr<FlowWalk> walk_;
  FlowFilter filter_;
  Names names_;
  bool done_ = false;
};

}  // namespace

std::unique_ptr<http::BodyStream> flow_stream(std::unique_ptr<FlowWalk> walk, FlowFilter filter,
                                              const model::Model& m) {
  return std::make_unique<FlowStream>(std::move(walk), std::move(filter), m);
}

}  // namespace control
