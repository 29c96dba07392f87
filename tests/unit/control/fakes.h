// Changes and an Operator without a machine.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/certificates/store.h"
#include "agent/control/api.h"
#include "agent/control/operator.h"
#include "agent/reconcile/changes.h"
#include "tests/unit/http/wire.h"

namespace control::testing {

using http::testing::Answer;
using http::testing::ask;
using http::testing::Running;
using http::testing::TemporaryFolder;
using http::testing::Wire;

inline const std::string kBase = "/v2.0/lbaas";
inline const std::string kNobody = "3fa85f64-5717-4562-b3fc-2c963f66afa6";  // the id of nothing

nlohmann::json parsed(const std::optional<Answer>& answer);  // null if there is no answer

// Edits the real model, in turn; the machine has it at once or, with `finishes` off, never.
class FakeChanges final : public reconcile::Changes {
 public:
  const model::Model& model() const override { return model_; }
  reconcile::Sight sight() const override {
    return {std::make_shared<const model::Model>(model_), findings};
  }
  boost::asio::awaitable<model::Outcome<model::Edited>> change(reconcile::Edit edit) override;

  enum class Finish { at_once, never };
  Finish finishes = Finish::at_once;
  std::optional<model::Fault> storage_fault;  // instead of a change
  int count = 0;
  model::Findings findings;
  // Two addresses of 198.51.100.0/24 on eth1.
  std::shared_ptr<const model::VipRanges> vip_ranges = two_addresses();

 private:
  static std::shared_ptr<const model::VipRanges> two_addresses();
  model::Model model_;
  bool busy_ = false;
};

class FakeOperator final : public Operator {
 public:
  static Status set_up() {
    Status status;
    status.reconcile.runs = 1;
    return status;
  }
  boost::asio::awaitable<Status> status() override { co_return status_; }
  boost::asio::awaitable<std::vector<ConnectedNetwork>> networks() override { co_return networks_; }
  void look_at_everything() override { looks++; }
  boost::asio::awaitable<model::Outcome<MovedVips>> move_vips() override { co_return moved_; }
  boost::asio::awaitable<Verdicts> verdicts() override { co_return verdicts_; }
  boost::asio::awaitable<Counters> counters() override { co_return counters_; }
  boost::asio::awaitable<std::unique_ptr<FlowWalk>> walk_flows() override;

  Status status_ = set_up();
  int looks = 0;  // at everything
  model::Outcome<MovedVips> moved_ = model::Fault{409, "There is no pair."};
  std::vector<ConnectedNetwork> networks_;
  Verdicts verdicts_;
  Counters counters_;
  std::vector<Flow> flows;
  size_t repeat = 1;   // each flow so many times
  size_t visited = 0;  // flows handed out, in all
};

// A store in a folder of its own, at noon().
class FakeCertificates final : public Certificates {
 public:
  FakeCertificates();
  boost::asio::awaitable<std::vector<certificates::Entry>> list() override;
  boost::asio::awaitable<base::Result<certificates::About>> inspect(std::string name,
                                                                    std::string bytes) override;
  boost::asio::awaitable<base::Result<certificates::Put>> put(std::string name,
                                                              std::string bytes) override;
  base::Result<base::Unit> remove(const std::string& name) override;

  std::optional<base::Error> disk_fault;  // instead of keeping anything
  TemporaryFolder folder;
  std::unique_ptr<certificates::Store> store;
};

model::Time noon();  // the clock of a test

// The whole control socket over the fakes.
struct FakeAgent {
  FakeChanges changes;
  FakeOperator machine;
  FakeCertificates certificates;
  Api api{changes, machine, certificates, {"a-project", changes.vip_ranges}};
  Running server{[this](http::Request request) { return api.handle(std::move(request)); }};

  std::optional<Answer> ask(std::string_view method, std::string_view target,
                            std::string_view body = "") {
    return http::testing::ask(server.path(), method, target, body);
  }
  // Asks, and reads the JSON; null if there is none.
  nlohmann::json get(std::string_view target, int status = 200);
  // The id of what it made; fails the test if nothing was made.
  std::string make(std::string_view target, const nlohmann::json& body);
};

// A load balancer "web" with a TCP listener "front" on 80, a pool "app" and members 192.0.2.11 and
// 192.0.2.12, port 8080, as the body of a nested create.
nlohmann::json web();

}  // namespace control::testing
