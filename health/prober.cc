#include "health/prober.h"

#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <new>
#include <utility>

#include "health/probe.h"
#include "health/schedule.h"
#include "health/state.h"

namespace health {
namespace {

using Clock = std::chrono::steady_clock;

struct Entry;
using Turns = std::multimap<Time, std::shared_ptr<Entry>>;

// A target for as long as it does not change. It waits for its turn or is being probed.
struct Entry {
  Target target;
  Rating rating;
  Turns::iterator turn;              // valid while waiting
  std::shared_ptr<Attempt> attempt;  // set while being probed
  Time started;                      // the turn that the probe under way belongs to
  bool removed = false;
};

std::chrono::microseconds to_us(Time::duration time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time);
}

size_t share_of_descriptors() {
  constexpr size_t kLeast = 16, kMost = 4096;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return kLeast;
  return std::clamp<size_t>(static_cast<size_t>(limit.rlim_cur / 4), kLeast, kMost);
}

}  // namespace

class Prober::Core : public std::enable_shared_from_this<Prober::Core> {
 public:
  Core(boost::asio::any_io_executor executor, OnChange on_change, SourcePorts ports,
       size_t max_in_flight)
      : executor_(std::move(executor)),
        on_change_(std::move(on_change)),
        ports_(ports),
        max_in_flight_(max_in_flight > 0 ? max_in_flight : share_of_descriptors()),
        timer_(executor_) {}

  void set_targets(std::vector<Target> targets, const std::set<base::Uuid>& down);
  void stop();

  const std::map<base::Uuid, std::shared_ptr<Entry>>& entries() const { return entries_; }
  ProberStats stats() const;

 private:
  using Self = std::shared_ptr<Core>;
  static boost::asio::awaitable<void> run(Self self, std::shared_ptr<Entry> entry,
                                          std::shared_ptr<Attempt> attempt);
  std::shared_ptr<Entry> make_entry(Target target, Rating rating);
  void remove(Entry& entry);
  void pump();
  void arm();
  void launch(Turns::iterator turn);
  uint16_t next_port();
  void finish(const std::shared_ptr<Entry>& entry, const Probed& probed,
              std::chrono::microseconds latency);
  void tally(const Probed& probed);

  const boost::asio::any_io_executor executor_;
  const OnChange on_change_;
  const SourcePorts ports_;
  uint16_t turn_of_ports_ = 0;
  const size_t max_in_flight_;
  boost::asio::steady_timer timer_;
  Time armed_for_ = Time::max();  // max: not armed
  std::map<base::Uuid, std::shared_ptr<Entry>> entries_;
  Turns turns_;  // of those that wait
  ProberStats stats_;
  bool stopped_ = false;
};

std::shared_ptr<Entry> Prober::Core::make_entry(Target target, Rating rating) {
  auto entry = std::make_shared<Entry>();
  entry->rating = std::move(rating);
  entry->target = std::move(target);
  entry->turn = turns_.emplace(first_turn(entry->target, Clock::now()), entry);
  return entry;
}

void Prober::Core::remove(Entry& entry) {
  entry.removed = true;
  if (entry.attempt)
    entry.attempt->cancel();
  else
    turns_.erase(entry.turn);
}

void Prober::Core::set_targets(std::vector<Target> targets, const std::set<base::Uuid>& down) {
  const auto now = std::chrono::system_clock::now();
  auto before = std::exchange(entries_, {});
  for (Target& target : targets) {
    const base::Uuid member = target.member;
    if (entries_.contains(member)) continue;
    const auto known = before.find(member);
    if (known == before.end()) {
      Rating rating = down.contains(member) ? down_rating(now) : new_rating(target, now);
      entries_.emplace(member, make_entry(std::move(target), std::move(rating)));
      continue;
    }
    const std::shared_ptr<Entry> old = known->second;
    before.erase(known);
    if (old->target == target) {
      entries_.emplace(member, old);
    } else {
      Rating rating = renewed_rating(target, old->rating);
      entries_.emplace(member, make_entry(std::move(target), std::move(rating)));
      remove(*old);
    }
  }
  for (const auto& [member, gone] : before) remove(*gone);
  pump();
}

void Prober::Core::stop() {
  stopped_ = true;
  for (const auto& [member, entry] : entries_) remove(*entry);
  entries_.clear();
  timer_.cancel();
}

void Prober::Core::pump() {
  while (!stopped_ && stats_.in_flight < max_in_flight_ && !turns_.empty() &&
         turns_.begin()->first <= Clock::now())
    launch(turns_.begin());
  arm();
}

void Prober::Core::arm() {
  if (stopped_ || turns_.empty() || stats_.in_flight >= max_in_flight_) return;
  const Time next = turns_.begin()->first;
  if (next >= armed_for_) return;
  armed_for_ = next;
  timer_.expires_at(next);
  timer_.async_wait([self = shared_from_this()](boost::system::error_code error) {
    if (error) return;  // armed for an earlier time, or stopped
    self->armed_for_ = Time::max();
    self->pump();
  });
}

uint16_t Prober::Core::next_port() {
  if (ports_.count == 0) return 0;
  turn_of_ports_ = static_cast<uint16_t>((turn_of_ports_ + 1) % ports_.count);
  return static_cast<uint16_t>(ports_.first + turn_of_ports_);
}

void Prober::Core::launch(Turns::iterator turn) {
  const std::shared_ptr<Entry> entry = turn->second;
  entry->started = turn->first;
  turns_.erase(turn);
  stats_.worst_lag = std::max(stats_.worst_lag, to_us(Clock::now() - entry->started));
  stats_.started++;
  stats_.in_flight++;
  entry->attempt = Attempt::start(executor_, limit_of(entry->target), next_port());
  boost::asio::co_spawn(executor_, run(shared_from_this(), entry, entry->attempt),
                        boost::asio::detached);
}

boost::asio::awaitable<void> Prober::Core::run(Self self, std::shared_ptr<Entry> entry,
                                               std::shared_ptr<Attempt> attempt) {
  const Time begin = Clock::now();
  Probed probed;
  try {
    probed = co_await probe(*attempt, entry->target);
  } catch (const std::bad_alloc&) {
    probed = attempt->failed(ENOMEM, "");
  }
  self->finish(entry, probed, to_us(Clock::now() - begin));
}

void Prober::Core::finish(const std::shared_ptr<Entry>& entry, const Probed& probed,
                          std::chrono::microseconds latency) {
  stats_.in_flight--;
  if (!entry->removed) {
    tally(probed);
    entry->attempt->cancel();
    entry->attempt.reset();
    const Time now = Clock::now();
    const Time next = next_turn(entry->target, entry->started, now);
    stats_.skipped +=
        static_cast<uint64_t>((next - next_turn(entry->target, entry->started, entry->started)) /
                              interval_of(entry->target));
    entry->turn = turns_.emplace(next, entry);
    const Change change =
        count(entry->rating, entry->target, probed, latency, std::chrono::system_clock::now());
    if (change != Change::none && on_change_) {
      const Health health = entry->rating.health;
      on_change_(entry->target.member, health);
    }
  }
  pump();
}

void Prober::Core::tally(const Probed& probed) {
  switch (probed.kind) {
    case Probed::Kind::success:
      stats_.succeeded++;
      break;
    case Probed::Kind::failure:
      stats_.failed++;
      break;
    case Probed::Kind::own_error:
      stats_.not_ours_to_judge++;
      break;
  }
}

ProberStats Prober::Core::stats() const {
  ProberStats stats = stats_;
  stats.targets = entries_.size();
  return stats;
}

Prober::Prober(boost::asio::any_io_executor executor, OnChange on_change, SourcePorts ports,
               size_t max_in_flight)
    : core_(std::make_shared<Core>(std::move(executor), std::move(on_change), ports,
                                   max_in_flight)) {}

Prober::~Prober() { core_->stop(); }

void Prober::set_targets(std::vector<Target> targets, const std::set<base::Uuid>& down) {
  core_->set_targets(std::move(targets), down);
}

std::map<base::Uuid, Health> Prober::snapshot() const {
  std::map<base::Uuid, Health> all;
  for (const auto& [member, entry] : core_->entries())
    all.emplace_hint(all.end(), member, entry->rating.health);
  return all;
}

const Health* Prober::find(const base::Uuid& member) const {
  const auto found = core_->entries().find(member);
  return found == core_->entries().end() ? nullptr : &found->second->rating.health;
}

ProberStats Prober::stats() const { return core_->stats(); }

}  // namespace health
