#include "tests/unit/pair/fake_table.h"

#include <netinet/in.h>

#include <algorithm>

#include "tests/support/addresses.h"

namespace pair {

Flow flow_of(uint16_t client_port, uint16_t snat_port, State state) {
  Flow flow;
  flow.protocol = IPPROTO_TCP;
  flow.state = state;
  flow.is_answered = true;
  flow.client = {test::ip("192.0.2.7"), client_port};
  flow.vip = {test::ip("198.51.100.10"), 80};
  flow.snat = {test::ip("198.51.100.10"), snat_port};
  flow.member = {test::ip("203.0.113.1"), 8080};
  return flow;
}

FakeTable::Line* FakeTable::find(uint16_t client_port) {
  const auto found = std::ranges::find_if(
      lines_, [&](const Line& line) { return line.flow && line.flow->client.port == client_port; });
  return found == lines_.end() ? nullptr : &*found;
}

void FakeTable::tell(const Line& line) {
  if (!told_) return;
  if (changes_.size() >= room)
    lost_++;
  else
    changes_.push_back(
        {base::Family::ipv4, static_cast<uint32_t>(&line - lines_.data()), line.generation});
}

void FakeTable::free(Line& line) {
  line.flow.reset();
  line.generation++;
}

std::optional<uint32_t> FakeTable::put(const Flow& flow) {
  const auto found = std::ranges::find_if(lines_, [](const Line& line) { return !line.flow; });
  if (found == lines_.end()) return std::nullopt;
  found->flow = flow;
  const auto index = static_cast<uint32_t>(found - lines_.begin());
  found->flow->name = {base::Family::ipv4, index, found->generation};
  return index;
}

void FakeTable::open(const Flow& flow) {
  end(flow.client.port);
  for (const Line& line : lines_)
    if (line.flow && line.flow->snat == flow.snat) return;  // another port would be found
  if (const auto index = put(flow)) tell(lines_[*index]);
}

void FakeTable::change(uint16_t client_port, State state) {
  Line* line = find(client_port);
  if (line == nullptr) return;
  line->flow->state = state;
  tell(*line);
}

void FakeTable::end(uint16_t client_port) {
  Line* line = find(client_port);
  if (line == nullptr) return;
  tell(*line);
  free(*line);
}

void FakeTable::expire(uint16_t client_port) {
  if (Line* line = find(client_port)) free(*line);
}

std::map<std::string, uint32_t> FakeTable::lines() const {
  std::map<std::string, uint32_t> all;
  for (const Line& line : lines_)
    if (line.flow)
      all[line.flow->client.text() + " " + line.flow->snat.text() + " " +
          std::to_string(static_cast<int>(line.flow->state))] =
          static_cast<uint32_t>(&line - lines_.data());
  return all;
}

std::set<std::string> FakeTable::flows() const {
  std::set<std::string> all;
  for (const auto& [flow, line] : lines()) all.insert(flow);
  return all;
}

std::vector<Name> FakeTable::changes() {
  std::vector<Name> all(changes_.begin(), changes_.end());
  changes_.clear();
  return all;
}

std::optional<Flow> FakeTable::read(const Name& name) {
  const Line& line = lines_.at(name.line);
  return line.flow && line.generation == name.generation ? line.flow : std::nullopt;
}

std::optional<uint64_t> FakeTable::slice(uint64_t at, size_t, std::vector<Flow>& into) {
  for (uint32_t i = 0; i < slice_lines && at < lines_.size(); i++, at++)
    if (lines_[at].flow) into.push_back(*lines_[at].flow);
  return at < lines_.size() ? std::optional(at) : std::nullopt;
}

std::vector<Taken> FakeTable::take(std::span<const Flow> flows, Conflict conflict) {
  std::vector<Taken> all;
  for (const Flow& flow : flows) {
    Taken& taken = all.emplace_back();
    taken.why = Refusal::unknown;
    if (unknown_members.contains(flow.client.port)) continue;
    std::vector<Line*> others;
    for (Line& line : lines_)
      if (line.flow && (line.flow->client == flow.client || line.flow->snat == flow.snat))
        others.push_back(&line);
    if (others.size() == 1 && others[0]->flow->client == flow.client &&
        others[0]->flow->snat == flow.snat &&
        (conflict == Conflict::ours_stays || others[0]->flow->state == flow.state)) {
      taken.place = Place{others[0]->flow->name.line, others[0]->generation};
      continue;
    }
    taken.why = Refusal::taken;
    if (!others.empty() && conflict == Conflict::ours_stays) continue;
    for (Line* line : others) free(*line);
    taken.why = Refusal::no_room;
    if (const auto index = put(flow)) taken.place = Place{*index, lines_[*index].generation};
  }
  return all;
}

FakeTable::Refreshed FakeTable::refresh(const Place& place, const Flow& flow) {
  const Line& line = lines_.at(place.line);
  if (!line.flow || line.generation != place.generation) return Refreshed::gone;
  return line.flow->state == flow.state ? Refreshed::same : Refreshed::changed;
}

void FakeTable::end(base::Family, std::span<const Place> places) {
  for (const Place& place : places) {
    Line& line = lines_.at(place.line);
    if (!line.flow || line.generation != place.generation) continue;
    free(line);
    ended++;
  }
}

}  // namespace pair
