#include "agent/statistics/ledger.h"

#include <algorithm>
#include <utility>

namespace statistics {

namespace {

using nlohmann::json;

struct Counter {
  const char* name;
  uint64_t Traffic::*value;
};
constexpr Counter kCounters[] = {{"connections", &Traffic::connections},
                                 {"bytes_in", &Traffic::bytes_in},
                                 {"bytes_out", &Traffic::bytes_out},
                                 {"request_errors", &Traffic::request_errors}};

void add(Traffic& sum, const Traffic& more) {
  for (const Counter& counter : kCounters) sum.*counter.value += more.*counter.value;
}

json to_json(const Traffic& traffic) {
  json out = json::object();
  for (const Counter& counter : kCounters) out[counter.name] = traffic.*counter.value;
  return out;
}

base::Result<Traffic> traffic_of(const json& saved, const std::string& where) {
  Traffic traffic;
  for (const Counter& counter : kCounters) {
    const auto value = saved.is_object() ? saved.find(counter.name) : saved.end();
    if (value == saved.end() || !value->is_number_unsigned())
      return base::Error{0, where + "." + counter.name + ": not a number"};
    traffic.*counter.value = value->get<uint64_t>();
  }
  return traffic;
}

}  // namespace

void Ledger::count(const base::Uuid& listener, const std::string& source, const Traffic& now) {
  Traffic& last = accounts_[listener].running[source];
  for (const Counter& counter : kCounters)
    last.*counter.value = std::max(last.*counter.value, now.*counter.value);
}

void Ledger::retire(const std::string& kind, const std::set<std::string>& alive) {
  for (auto& [listener, account] : accounts_)
    std::erase_if(account.running, [&retired = account.retired, &kind, &alive](const auto& entry) {
      if (!entry.first.starts_with(kind + "/") || alive.contains(entry.first)) return false;
      add(retired, entry.second);
      return true;
    });
}

void Ledger::keep(const std::set<base::Uuid>& listeners) {
  std::erase_if(accounts_, [&](const auto& entry) { return !listeners.contains(entry.first); });
}

Traffic Ledger::total(const base::Uuid& listener) const {
  const auto found = accounts_.find(listener);
  if (found == accounts_.end()) return {};
  Traffic sum = found->second.retired;
  for (const auto& [source, traffic] : found->second.running) add(sum, traffic);
  return sum;
}

json Ledger::save() const {
  json listeners = json::object();
  for (const auto& [listener, account] : accounts_) {
    json running = json::object();
    for (const auto& [source, traffic] : account.running) running[source] = to_json(traffic);
    listeners[listener.text()] = {{"settled", to_json(account.retired)}, {"running", running}};
  }
  return {{"version", 1}, {"listeners", listeners}};
}

base::Result<Ledger> Ledger::load(const json& saved) {
  const json* listeners =
      saved.is_object() && saved.value("version", json()) == 1 && saved.contains("listeners")
          ? &saved["listeners"]
          : nullptr;
  if (listeners == nullptr || !listeners->is_object())
    return base::Error{0, "not statistics of version 1"};
  Ledger ledger;
  for (const auto& [text, entry] : listeners->items()) {
    const auto listener = base::Uuid::parse(text);
    const std::string where = "listeners." + text;
    if (!listener || !entry.is_object() || !entry.contains("settled") ||
        !entry.contains("running") || !entry["running"].is_object())
      return base::Error{0, where + ": not a listener's counters"};
    Account& account = ledger.accounts_[*listener];
    auto retired = traffic_of(entry["settled"], where + ".settled");
    if (!retired) return retired.error();
    account.retired = *retired;
    for (const auto& [source, traffic] : entry["running"].items()) {
      auto running = traffic_of(traffic, where + ".running." + source);
      if (!running) return running.error();
      account.running[source] = *running;
    }
  }
  return ledger;
}

}  // namespace statistics
