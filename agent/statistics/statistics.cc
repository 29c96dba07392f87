#include "agent/statistics/statistics.h"

#include <cerrno>
#include <cstdio>

#include "base/file.h"
#include "base/log.h"

namespace statistics {

namespace {

constexpr char kName[] = "statistics.json";

base::Result<Ledger> load(const std::string& path) {
  auto text = base::read_file(path);
  if (!text && text.error().code == ENOENT) return Ledger{};
  if (!text) return text.error();
  return Ledger::load(nlohmann::json::parse(*text, nullptr, false));
}

}  // namespace

Statistics Statistics::open(const std::string& state_dir) {
  Statistics statistics;
  const std::string path = state_dir + "/" + kName;
  auto ledger = load(path);
  if (ledger) {
    statistics.ledger_ = std::move(*ledger);
    return statistics;
  }
  spdlog::error("{}: {}; counting from zero", path, ledger.error().message());
  std::rename(path.c_str(), (path + ".damaged").c_str());
  return statistics;
}

void Statistics::read(const std::string& kind, const std::vector<Reading>& readings,
                      const std::set<base::Uuid>& listeners) {
  std::set<std::string> alive;
  for (const Reading& reading : readings) {
    ledger_.count(reading.listener, reading.source, reading.traffic);
    alive.insert(reading.source);
  }
  ledger_.retire(kind, alive);
  ledger_.keep(listeners);
}

base::Status Statistics::store(const std::string& state_dir, const std::string& text) {
  return base::replace_file(state_dir, kName, text, 0600);
}

}  // namespace statistics
