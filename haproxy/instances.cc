#include "haproxy/instances.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "haproxy/check.h"
#include "haproxy/files.h"
#include "haproxy/pems.h"

namespace haproxy {

namespace {

using namespace std::chrono_literals;
using base::Result;
using base::Unit;
using base::Uuid;

// Between attempts at what failed, from the first to the longest.
constexpr std::chrono::milliseconds kFirstPause = 1s, kLongestPause = 16s;

// The one that served all load balancers has no other name.
const Uuid kEverybody{};

// Without dashes: a path of a socket has room for some hundred characters.
std::string folder_of(const Uuid& load_balancer) {
  std::string name = load_balancer.text();
  std::erase(name, '-');
  return name;
}

std::set<Uuid> named_in(const std::string& folder) {
  std::set<Uuid> names;
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (const auto id = Uuid::parse(name); id && folder_of(*id) == name) names.insert(*id);
  }
  return names;
}

void remove_all(const std::string& path) {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

// Links to certificates and texts of checks in the midst of which an agent was killed.
void forget_checks(const std::string& folder) {
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error))
    if (at->path().filename().string().starts_with(kCheckPrefix)) remove_all(at->path().string());
}

bool is_there(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

}  // namespace

Paths Instances::paths_of(const Uuid& load_balancer) const {
  Paths paths = root_;
  paths.run_dir += "/" + folder_of(load_balancer);
  paths.state_dir += "/" + folder_of(load_balancer);
  return paths;
}

std::string Instances::certificates_of(const Uuid& load_balancer) const {
  return paths_of(load_balancer).state_dir + "/certificates";
}

Result<Instances> Instances::open(Paths root) {
  if (auto made = make_private_folders({root.run_dir, root.state_dir}); !made) return made.error();
  Instances instances(std::move(root));
  instances.adopt();
  return instances;
}

// What cannot be opened now is told when it is to serve.
void Instances::adopt() {
  for (const std::string& folder : {root_.run_dir, root_.state_dir}) forget_checks(folder);
  std::set<Uuid> names = named_in(root_.run_dir);
  names.merge(named_in(root_.state_dir));
  for (const Uuid& name : names) (void)instance(name);
  if (!is_there(root_.run_dir + "/haproxy.cfg") && !is_there(root_.state_dir + "/haproxy.accepted"))
    return;
  if (auto opened = Process::open(root_)) predecessor_.emplace(std::move(*opened));
}

Result<Instances::Instance*> Instances::instance(const Uuid& load_balancer) {
  const auto found = instances_.find(load_balancer);
  if (found != instances_.end()) return &found->second;
  auto opened = Process::open(paths_of(load_balancer));
  if (!opened) return opened.error();
  return &instances_.emplace(load_balancer, Instance(std::move(*opened))).first->second;
}

Instances::Failures Instances::apply(const Specs& specs) {
  for (auto& [name, one] : instances_) {
    const auto wanted = specs.find(name);
    if (wanted != specs.end() && serves_something(wanted->second)) continue;
    if (std::exchange(one.wanted, false) || one.process.running()) (void)one.process.apply({});
    one.failure.reset();
  }
  // Those that failed before come last: what takes long to fail again keeps nobody waiting.
  std::vector<const Specs::value_type*> order;
  for (const auto& entry : specs)
    if (serves_something(entry.second)) order.push_back(&entry);
  const auto has_not_failed = [this](const auto* entry) {
    const auto found = instances_.find(entry->first);
    return found == instances_.end() || !found->second.failure;
  };
  std::stable_partition(order.begin(), order.end(), has_not_failed);
  Failures failures;
  for (const auto* entry : order)
    if (auto done = apply(entry->first, entry->second); !done)
      failures.emplace(entry->first, done.error());
  if (predecessor_accepts()) (void)predecessor_->apply({});
  has_applied_ = true;
  return failures;
}

base::Status Instances::apply(const Uuid& load_balancer, const Spec& spec) {
  auto one = instance(load_balancer);
  if (!one) return one.error();
  (*one)->wanted = true;
  std::optional<Failure>& failure = (*one)->failure;
  const bool again = failure && failure->spec == spec;
  if (again && Clock::now() < failure->not_before) return failure->error;
  auto served = serve(load_balancer, (*one)->process, spec);
  if (served) {
    failure.reset();
  } else {
    const auto pause = again ? std::min(failure->pause * 2, kLongestPause) : kFirstPause;
    failure = Failure{spec, served.error(), Clock::now() + pause, pause};
  }
  return served;
}

base::Status Instances::serve(const Uuid& load_balancer, Process& process, const Spec& spec) {
  const std::string folder = certificates_of(load_balancer);
  auto own = with_own_pems(spec, folder);
  if (!own) return own.error();
  process.take_sockets_of(predecessor_accepts() ? predecessor_->surroundings().stats_socket : "");
  if (auto applied = process.apply(*own); !applied) return applied;
  // Workers that end have read what they need.
  keep_only_pems_of(*own, folder);
  return Unit{};
}

std::vector<Instances::Revived> Instances::revive() {
  std::vector<Revived> all;
  for (auto& [name, one] : instances_) {
    const Result<bool> revived = one.process.revive();
    if (!revived) all.push_back({name, revived.error()});
    if (revived && *revived) all.push_back({name, Unit{}});
  }
  return all;
}

std::vector<Uuid> Instances::names() const {
  std::vector<Uuid> names;
  if (predecessor_) names.push_back(kEverybody);
  for (const auto& [name, one] : instances_) names.push_back(name);
  return names;
}

Instances::Answer Instances::stats(const Uuid& load_balancer) {
  const auto found = instances_.find(load_balancer);
  if (found == instances_.end() && (load_balancer != kEverybody || !predecessor_)) return {};
  Process& process = found == instances_.end() ? *predecessor_ : found->second.process;
  Answer answer;
  if (auto stats = process.stats()) answer.workers = std::move(*stats);
  answer.is_silent = process.running() && std::ranges::none_of(answer.workers, [](const auto& one) {
                       return one.current && one.answers;
                     });
  const bool leaves = found == instances_.end() || !found->second.wanted;
  if (has_applied_ && leaves && process.is_gone()) forget(load_balancer);
  return answer;
}

void Instances::forget(const Uuid& load_balancer) {
  if (load_balancer == kEverybody) {
    predecessor_->teardown();
    predecessor_.reset();
    return;
  }
  instances_.erase(load_balancer);
  remove_all(paths_of(load_balancer).run_dir);
  remove_all(paths_of(load_balancer).state_dir);
}

std::map<Uuid, Instances::Status> Instances::status() const {
  std::map<Uuid, Status> all;
  for (const auto& [name, one] : instances_) {
    if (!one.wanted) continue;
    const std::string error = one.failure ? one.failure->error.message() : "";
    all[name] = {one.process.running(), one.process.counts(), error};
  }
  return all;
}

void Instances::teardown() {
  for (auto& [name, one] : instances_) {
    (void)one.process.apply({});  // with those that nobody has noted
    one.process.teardown();
  }
  while (!instances_.empty()) forget(instances_.begin()->first);
  if (!predecessor_) return;
  (void)predecessor_->apply({});
  forget(kEverybody);
}

}  // namespace haproxy
