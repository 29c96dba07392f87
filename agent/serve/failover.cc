#include "agent/serve/failover.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <string>
#include <utility>

#include "base/log.h"

namespace serve {

namespace asio = boost::asio;
using control::MovedVips;
using model::Fault;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

namespace {

constexpr int kConflict = 409, kFailed = 500;
constexpr milliseconds kLookEvery{5};
// For the other node to hear of it before the first packet comes there.
constexpr milliseconds kLeaveAfter{30};
// A member's answer is on its way here for so long, when its next one goes to the other node.
constexpr milliseconds kLastAnswers{50};

// What cannot be of this node, whatever the other one does.
std::string why_not_here(const FailoverFacts& facts) {
  switch (facts.node) {
    case FailoverFacts::Node::alone:
      return "There is no pair in the configuration, and no other node.";
    case FailoverFacts::Node::of_octavia:
      return "The VIPs of an amphora are moved by Octavia: openstack loadbalancer failover.";
    case FailoverFacts::Node::without_key:
      return "Connections would be lost: pair.key_file is not in the configuration, so that the "
             "other node does not know of them.";
    case FailoverFacts::Node::of_pair:
      break;
  }
  if (facts.has_vips) return "";
  return "The VIPs are not here" + (facts.report.peer == pair::Role::active
                                        ? ": ask the other node, " + facts.peer.text() + "."
                                        : std::string("."));
}

std::string why_not_there(const FailoverFacts& facts) {
  const std::string peer = "The other node, " + facts.peer.text() + ", ";
  const pair::Report& report = facts.report;
  if (!report.connected)
    return peer + "is not connected" + (report.trouble.empty() ? "." : ": " + report.trouble + ".");
  if (!report.peer) return peer + "has not said yet what it is: try again.";
  if (*report.peer == pair::Role::active)
    return peer + "has the VIPs, too: look at the network between both.";
  if (!report.walk_answered) return peer + "does not have all connections yet: try again.";
  if (report.unknown_there == 0) return "";
  return peer + "has no place for " + std::to_string(report.unknown_there) +
         " connections: are its listeners and members the same?";
}

uint64_t answered(const pair::Report& report) { return report.told - report.behind; }

}  // namespace

model::Refusal why_not(const FailoverFacts& facts) {
  std::string why = why_not_here(facts);
  if (why.empty()) why = why_not_there(facts);
  if (why.empty() && facts.takes_back)
    why =
        "This node would take the VIPs back at once if it is the better one: pair.preempt is on. "
        "Without it the VIPs stay where they are.";
  if (why.empty()) return std::nullopt;
  return Fault{kConflict, why};
}

Failover::Failover(asio::any_io_executor loop, Around around, Patience patience)
    : loop_(std::move(loop)), around_(std::move(around)), patience_(patience) {}

asio::awaitable<model::Outcome<MovedVips>> Failover::run() {
  if (is_under_way_) co_return Fault{kConflict, "A failover is under way."};
  if (auto refused = why_not(around_.facts())) co_return std::move(*refused);
  is_under_way_ = true;
  around_.leave();
  model::Outcome<MovedVips> outcome = co_await move();
  around_.stop_leaving();
  is_under_way_ = false;
  co_return std::move(outcome);
}

asio::awaitable<model::Outcome<MovedVips>> Failover::move() {
  const auto begun = Clock::now();
  const auto since = [begun] {
    return std::chrono::duration_cast<milliseconds>(Clock::now() - begun);
  };
  const base::IpAddress peer = around_.facts().peer;
  const std::string other = "The other node, " + peer.text() + ", ";
  const uint64_t told = around_.facts().report.told;
  co_await pause(kLeaveAfter);
  std::function<bool()> answers = [this, told] {
    const pair::Report report = around_.facts().report;
    return !report.connected || answered(report) >= told;
  };
  const bool is_answered = co_await until(patience_.answer, std::move(answers));
  if (!is_answered) co_return Fault{kConflict, other + "does not answer what it is told."};
  if (auto refused = why_not(around_.facts())) co_return std::move(*refused);

  spdlog::info("pair: the VIPs are to go to {}", peer.text());
  set_leaving(true);
  const bool is_taken = co_await taken();
  set_leaving(false);
  if (!is_taken) {
    const std::string why = other + "has not taken the VIPs within " +
                            std::to_string(patience_.taken.count()) +
                            " ms; this node may have them again.";
    spdlog::error("pair: {}", why);
    co_return Fault{kFailed, why};
  }
  spdlog::info("pair: the VIPs are at {}, {} ms after they were asked for", peer.text(),
               since().count());
  const MovedVips moved{peer, since(), around_.facts().not_movable};
  // A member may have answered this node as the last one of all.
  co_await pause(kLastAnswers);
  around_.gone();
  co_await pause(kLastAnswers);
  co_return moved;
}

// First they go, then they come.
asio::awaitable<bool> Failover::taken() {
  const auto end = Clock::now() + patience_.taken;
  std::function<bool()> gone = [this] { return !around_.facts().has_vips; };
  const bool have_gone = co_await until(patience_.taken, std::move(gone));
  if (!have_gone) co_return false;
  around_.gone();
  std::function<bool()> come = [this] {
    const FailoverFacts now = around_.facts();
    return !now.has_vips && now.report.peer == pair::Role::active;
  };
  const auto rest = std::chrono::duration_cast<milliseconds>(end - Clock::now());
  const bool have_come = co_await until(rest, std::move(come));
  co_return have_come;
}

asio::awaitable<bool> Failover::until(milliseconds patience, std::function<bool()> is_so) {
  const auto end = Clock::now() + patience;
  while (!is_so()) {
    if (Clock::now() >= end) co_return false;
    co_await pause(kLookEvery);
  }
  co_return true;
}

asio::awaitable<void> Failover::pause(milliseconds time) {
  boost::system::error_code ignored;
  asio::steady_timer timer(loop_, time);
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

void Failover::set_leaving(bool is_leaving) {
  is_leaving_ = is_leaving;
  around_.fitness_changed();
}

}  // namespace serve
