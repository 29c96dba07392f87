#include "tests/unit/control/fakes.h"

#include <gtest/gtest.h>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <set>
#include <stdexcept>

#include "agent/control/networks.h"

namespace control::testing {
namespace {

using nlohmann::json;

class FakeWalk final : public FlowWalk {
 public:
  explicit FakeWalk(FakeOperator& machine) : machine_(machine) {}
  Next slice(size_t lines, const Visit& visit) override {
    const size_t end = machine_.flows.size() * machine_.repeat;
    for (; lines > 0 && next_ < end; --lines, ++next_, ++machine_.visited)
      visit(machine_.flows[next_ % machine_.flows.size()]);
    return next_ == end ? Next::done : Next::more;
  }

 private:
  FakeOperator& machine_;
  size_t next_ = 0;
};

std::set<base::Uuid> all(const model::Model& m) {
  std::set<base::Uuid> ids;
  for (const auto& [id, lb] : m.load_balancers) ids.insert(id);
  return ids;
}

}  // namespace

model::Time noon() {
  return std::chrono::sys_days(std::chrono::year(2026) / 11 / 22) + std::chrono::hours(12);
}

std::shared_ptr<const model::VipRanges> FakeChanges::two_addresses() {
  const base::IpPrefix subnet = *base::IpPrefix::parse("198.51.100.0/24");
  return std::make_shared<const model::VipRanges>(model::VipRanges{
      {network_id("eth1"), subnet_id(subnet, "eth1"), subnet,
       *base::IpAddress::parse("198.51.100.100"), *base::IpAddress::parse("198.51.100.101")}});
}

boost::asio::awaitable<model::Outcome<model::Edited>> FakeChanges::change(reconcile::Edit edit) {
  const auto loop = co_await boost::asio::this_coro::executor;
  // Others get to run while one is being written, as with a real disk.
  while (busy_) co_await boost::asio::post(loop, boost::asio::use_awaitable);
  busy_ = true;
  for (int i = 0; i < 3; ++i) co_await boost::asio::post(loop, boost::asio::use_awaitable);
  busy_ = false;
  if (storage_fault) co_return *storage_fault;
  const model::Context context{noon(), {}, vip_ranges};
  auto outcome = edit(model_, context);
  if (auto* edited = std::get_if<model::Edited>(&outcome)) {
    ++count;
    model_ = edited->model;
    if (finishes == Finish::at_once)
      model_ = model::finish_pending(model_, model::Carried::out, all(model_), context);
  }
  co_return outcome;
}

boost::asio::awaitable<std::unique_ptr<FlowWalk>> FakeOperator::walk_flows() {
  co_return std::make_unique<FakeWalk>(*this);
}

FakeCertificates::FakeCertificates() {
  auto opened = certificates::Store::open(folder.path("certificates"));
  if (!opened.ok()) throw std::runtime_error(opened.error().message());
  store = std::move(*opened);
}

boost::asio::awaitable<std::vector<certificates::Entry>> FakeCertificates::list() {
  co_return store->list();
}

boost::asio::awaitable<base::Result<certificates::About>> FakeCertificates::inspect(
    std::string name, std::string bytes) {
  co_return certificates::Store::inspect(
      name, bytes, std::chrono::time_point_cast<std::chrono::seconds>(noon()));
}

boost::asio::awaitable<base::Result<certificates::Put>> FakeCertificates::put(std::string name,
                                                                              std::string bytes) {
  if (disk_fault) co_return *disk_fault;
  co_return store->put(name, bytes);
}

base::Result<base::Unit> FakeCertificates::remove(const std::string& name) {
  return store->remove(name);
}

json parsed(const std::optional<Answer>& answer) {
  return answer ? json::parse(answer->body, nullptr, false) : json();
}

json FakeAgent::get(std::string_view target, int status) {
  const auto answer = ask("GET", target);
  if (!answer) return nullptr;
  EXPECT_EQ(answer->status, status) << target << ": " << answer->body;
  return parsed(answer);
}

std::string FakeAgent::make(std::string_view target, const json& body) {
  const auto answer = ask("POST", target, body.dump());
  if (!answer || answer->status != 201) {
    ADD_FAILURE() << target << ": " << (answer ? answer->body : "no answer");
    return "";
  }
  return json::parse(answer->body).front().at("id");
}

json web() {
  return json::parse(R"({"loadbalancer": {
    "name": "web", "vip_address": "203.0.113.10",
    "vip_subnet_id": "d52c5bac-c0b1-4e78-bfdd-9bd34f40e545",
    "listeners": [{"name": "front", "protocol": "TCP", "protocol_port": 80,
      "default_pool": {"name": "app", "protocol": "TCP", "lb_algorithm": "ROUND_ROBIN",
        "members": [{"name": "one", "address": "192.0.2.11", "protocol_port": 8080},
                    {"name": "two", "address": "192.0.2.12", "protocol_port": 8080}]}}]}})");
}

}  // namespace control::testing
