#include "agent/serve/heartbeat_composer.h"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <chrono>
#include <utility>

#include "base/file.h"
#include "base/log.h"

namespace serve {
namespace {

namespace asio = boost::asio;
using base::Status;

constexpr const char* kCounters = "stats_counters.json";
constexpr std::chrono::seconds kPatience{2};  // with a HAProxy that is needed and does not answer
constexpr std::chrono::milliseconds kPause{50};

health::Told told_before(const std::string& base_path) {
  const std::string path = base_path + "/" + kCounters;
  const auto text = base::read_file(path);
  if (!text && text.error().code == ENOENT) return {};
  auto told = text ? health::Told::parse(*text) : base::Result<health::Told>(text.error());
  if (told) return std::move(*told);
  spdlog::error("heartbeat: {}: {}: everything is told again", path, told.error().message());
  return {};
}

model::CheckedState state_of(const health::Health& verdict) {
  if (!verdict.usable) return model::CheckedState::down;
  return verdict.state == health::State::unknown ? model::CheckedState::unknown
                                                 : model::CheckedState::up;
}

octavia::HaproxyReport report_of(const reconcile::HaproxyView& view) {
  octavia::HaproxyReport out;
  for (const auto& [id, frontend] : view.listeners) out.listeners[id] = frontend.status;
  for (const auto& [id, backend] : view.backends) {
    health::PoolReport& pool = out.pools[id.text()];
    pool.status = backend.status.starts_with("DOWN") ? "DOWN" : "UP";
    for (const auto& [member, server] : backend.servers) pool.members[member] = server.status;
  }
  return out;
}

}  // namespace

HeartbeatComposer::HeartbeatComposer(Sources sources, Places places, std::string amphora)
    : sources_(sources),
      places_(std::move(places)),
      amphora_(std::move(amphora)),
      told_(told_before(places_.base_path)) {}

asio::awaitable<std::optional<std::string>> HeartbeatComposer::compose(uint64_t seq) {
  if (co_await is_suppressed()) co_return std::nullopt;
  co_await wait_for_haproxy();
  const octavia::Known now = co_await known();
  const auto beat = octavia::report(sources_.changes.model(), now, told_, amphora_, seq);
  co_await store();
  co_return health::to_json(beat);
}

asio::awaitable<bool> HeartbeatComposer::is_suppressed() {
  if (sources_.vrrp.running()) co_return false;
  const octavia::Document document{octavia::Document::Kind::vrrp};
  const auto text = co_await sources_.documents.read(document);
  co_return text.ok() && text->has_value();
}

// Until it has been asked for the first time, nothing is known of it, and a listener that is not
// told would count as lost.
asio::awaitable<void> HeartbeatComposer::wait_for_haproxy() {
  asio::steady_timer pause(co_await asio::this_coro::executor);
  const auto end = std::chrono::steady_clock::now() + kPatience;
  const auto is_missed = [this] {
    const auto& amphora = sources_.changes.model().amphora;
    const bool is_needed =
        amphora && (!amphora->haproxy_text.empty() || !sources_.by_haproxy().empty());
    return is_needed && !sources_.findings.haproxy().answers;
  };
  while (is_missed() && std::chrono::steady_clock::now() < end) {
    pause.expires_after(kPause);
    co_await pause.async_wait(asio::use_awaitable);
  }
}

asio::awaitable<octavia::Known> HeartbeatComposer::known() {
  const control::Counters counters = co_await sources_.machine.counters();
  octavia::Known out;
  for (const auto& service : counters.services) {
    out.connections[service.listener] = service.flows_now;
    out.counters[service.listener] = {service.bytes_in, service.bytes_out, service.request_errors,
                                      service.flows_total};
  }
  sources_.findings.for_each_probed(
      [&out](const base::Uuid& member, const health::Health& verdict) {
        out.members[member] = state_of(verdict);
      });
  out.full = sources_.findings.full();
  out.by_haproxy = sources_.by_haproxy();
  if (sources_.findings.haproxy().answers) out.haproxy = report_of(sources_.findings.haproxy());
  co_return out;
}

// Statistics first: what has been told is never more than what has been counted.
asio::awaitable<void> HeartbeatComposer::store() {
  auto write = [places = places_, counted = sources_.statistics.text(),
                told = told_.text()]() -> Status {
    if (auto stored = statistics::Statistics::store(places.state_dir, counted); !stored)
      return stored;
    return base::replace_file(places.base_path, kCounters, told, 0644);
  };
  const Status stored = co_await sources_.storage.run(std::move(write));
  const std::string now = stored ? "" : stored.error().message();
  if (now != trouble_ && !now.empty()) spdlog::error("heartbeat: what was told: {}", now);
  trouble_ = now;
}

}  // namespace serve
