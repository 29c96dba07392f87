// FakeTable: a flow table as its pair sees it, literally: a row for each line.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/pair/flows.h"

namespace pair {

// Of the client's port: everything else follows. `snat_port`: another life may have another one.
Flow flow_of(uint16_t client_port, uint16_t snat_port, State state = State::open);

class FakeTable final : public FlowSource, public FlowSink {
 public:
  explicit FakeTable(uint32_t lines) : lines_(lines) {}

  // Packets: what another flow with these ends was is over first.
  void open(const Flow& flow);
  void change(uint16_t client_port, State state);
  void end(uint16_t client_port);
  // The agent's sweep: nobody is told.
  void expire(uint16_t client_port);

  size_t room = 1000;                             // for changes; what does not fit is lost
  std::set<uint16_t> unknown_members;             // ports of flows whose member is not known here
  uint32_t slice_lines = 3;                       // a slice is no longer than this
  std::set<std::string> flows() const;            // as text, without their names
  std::map<std::string, uint32_t> lines() const;  // where they are
  std::vector<Flow> half_open;                    // that their member has answered
  size_t awaits = 0;                              // how often it was to wait for flows
  size_t ended = 0;                               // by end(): of those that were here

  void begin() override { told_ = true; }
  void finish() override { told_ = false; }
  std::vector<Name> changes() override;
  uint64_t changes_lost() override { return lost_; }
  std::optional<Flow> read(const Name& name) override;
  std::optional<uint64_t> slice(uint64_t at, size_t lines, std::vector<Flow>& into) override;
  void answered(std::vector<Flow>& into) override {
    into.insert(into.end(), half_open.begin(), half_open.end());
  }
  std::vector<Taken> take(std::span<const Flow> flows, Conflict conflict) override;
  Refreshed refresh(const Place& place, const Flow& flow) override;
  void end(base::Family family, std::span<const Place> places) override;
  void await() override { awaits++; }

 private:
  struct Line {
    uint32_t generation = 0;
    std::optional<Flow> flow;
  };
  Line* find(uint16_t client_port);
  std::optional<uint32_t> put(const Flow& flow);
  void tell(const Line& line);
  void free(Line& line);

  std::vector<Line> lines_;
  std::deque<Name> changes_;
  uint64_t lost_ = 0;
  bool told_ = false;
};

}  // namespace pair
