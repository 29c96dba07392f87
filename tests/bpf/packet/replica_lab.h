// ReplicaLab: a node whose table its pair reads and fills: flows that have begun here, forgotten
// and taken again as if another node had told of them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/datapath/flow_check.h"
#include "agent/datapath/flow_replica.h"
#include "agent/datapath/flow_table.h"
#include "agent/serve/replica_table.h"
#include "tests/bpf/packet/lab.h"

namespace test {

class ReplicaLab : public Lab {
 protected:
  datapath::Options wanted() const override {
    datapath::Options pair = options();
    pair.foreign_flows = datapath::ForeignFlows::come;
    return pair;
  }
  void TearDown() override {
    if (table_) {
      EXPECT_THAT(faults(), testing::IsEmpty());
    }
    table_.reset();
    Lab::TearDown();
  }
  void balance(const model::Model& model) {
    install(model);
    auto replica = datapath().replica();
    ASSERT_TRUE(replica.ok()) << replica.error().message();
    auto changes = datapath().changes();
    ASSERT_TRUE(changes.ok()) << changes.error().message();
    table_.emplace(datapath().flows(), std::move(*replica), std::move(*changes));
    table_->learn(datapath().flow_names());
  }
  // Members on the VIP's own network: they see the VIP, which moves.
  void balance() {
    balance(load_balancer("192.0.2.100")
                .listener(kTcp, 80)
                .pool()
                .member("192.0.2.50", 8080)
                .member("192.0.2.51", 8080));
  }
  std::vector<pair::Flow> flows() {
    std::vector<pair::Flow> all;
    for (std::optional<uint64_t> at = 0; at;) at = table_->slice(*at, 1000, all);
    return all;
  }
  // As if they had been another node's: they are gone, and their lines are somebody else's names.
  std::vector<pair::Flow> forget_all() {
    const std::vector<pair::Flow> all = flows();
    for (const pair::Flow& flow : all) {
      const pair::Place place{flow.name.line, flow.name.generation};
      table_->end(flow.name.family, {&place, 1});
    }
    EXPECT_THAT(flows(), testing::IsEmpty());
    return all;
  }
  std::vector<pair::Taken> take(
      const std::vector<pair::Flow>& all,
      pair::FlowSink::Conflict conflict = pair::FlowSink::Conflict::theirs_stays) {
    return table_->take(all, conflict);
  }
  std::vector<std::string> faults() {
    std::vector<std::string> texts;
    for (const auto& fault :
         datapath::check_flows(datapath().flows().memory(), datapath::CheckScope::at_rest))
      texts.push_back(fault.text());
    return texts;
  }
  std::vector<pair::Flow> changed() {
    std::vector<pair::Flow> open;
    for (const pair::Name& name : table_->changes())
      if (const auto flow = table_->read(name)) open.push_back(*flow);
    return open;
  }
  std::optional<serve::ReplicaTable> table_;
};

}  // namespace test
