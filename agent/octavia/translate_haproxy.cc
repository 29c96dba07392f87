#include "agent/octavia/translate_haproxy.h"

#include <algorithm>
#include <array>
#include <set>

#include "agent/octavia/translate_remainder.h"

namespace octavia {

namespace {

using base::Error;
using base::IpAddress;
using base::Result;
using base::Status;
using base::Unit;
using Line = std::vector<std::string>;

// What Octavia writes into the section that every frontend inherits from (5.2). The datapath
// redispatches and moves bytes by itself, and logs as the log-format of the frontend says.
bool is_known_default(const Line& words) {
  static const std::array<Line, 7> kKnown{{{"log", "global"},
                                           {"no", "log"},
                                           {"retries", "3"},
                                           {"option", "redispatch"},
                                           {"option", "splice-request"},
                                           {"option", "splice-response"},
                                           {"option", "http-keep-alive"}}};
  return std::find(kKnown.begin(), kKnown.end(), words) != kKnown.end();
}

std::string_view family_word(const IpAddress& address) {
  return address.family() == base::Family::ipv6 ? "IPv6" : "IPv4";
}

// A directive begins with the first two; the rest may hide them.
constexpr std::string_view kMayDirect = ".['\"\\";

class HaproxyReader {
 public:
  explicit HaproxyReader(haproxy::Document document)
      : read_{std::move(document), {}, {}, "", false} {}

  Result<HaproxyText> read() && {
    for (const haproxy::Section& section : read_.document.sections()) {
      if (section.kind == "peers") read_.has_peers = true;
      // Before the first one there are only comments.
      if (section.kind == "defaults" || section.kind.empty()) read_inherited(section);
      if (section.kind == "frontend")
        if (auto done = add_frontend(section); !done) return done.error();
      if (section.kind == "backend")
        if (auto done = add_backend(section); !done) return done.error();
    }
    find_directives();
    return std::move(read_);
  }

 private:
  static Error at(const haproxy::Section& section, const std::string& what) {
    return {0, "line " + std::to_string(section.begin) + ": " + what};
  }

  void note(std::string reason) {
    if (read_.reason.empty()) read_.reason = std::move(reason);
  }

  void read_inherited(const haproxy::Section& section) {
    for (uint32_t number = section.begin; number < section.end; number++) {
      const haproxy::Words line = read_.document.words(number);
      if (line.words.empty()) continue;
      const bool is_title = number == section.begin && !section.kind.empty();
      const bool is_known = is_title ? line.words.size() == 1 : is_known_default(line.words);
      const bool understood = is_known && !section.kind.empty();
      if (!understood || line.has_variable) note(not_understood(number, line.words));
    }
  }

  // Lines that decide about others, ".if" and "[scope]", may be anywhere.
  void find_directives() {
    for (uint32_t number = 1; number <= read_.document.lines(); number++) {
      const std::string_view line = read_.document.line(number);
      const size_t first = line.find_first_not_of(" \t\v\f\r\n");
      if (first == line.npos || kMayDirect.find(line[first]) == kMayDirect.npos) continue;
      const Line words = read_.document.words(number).words;
      if (words.empty() || words[0].empty()) continue;
      if (words[0][0] == '.' || words[0][0] == '[') note(not_understood(number, words));
    }
  }

  Status add_frontend(const haproxy::Section& section) {
    const auto id = uuid_of(section.name);
    if (!id) return Unit{};
    FrontendText frontend = read_frontend(read_.document, section, *id);
    if (!listeners_.insert(*id).second) return at(section, "this frontend is given twice");
    if (!frontend.vips.empty()) {
      const auto [other, is_free] = ports_.emplace(frontend.listener.protocol_port, section.name);
      if (!is_free) return at(section, "frontend " + other->second + " has the same port");
    }
    read_.frontends.push_back(std::move(frontend));
    return Unit{};
  }

  Status add_backend(const haproxy::Section& section) {
    const auto name = backend_name_of(section.name);
    if (!name) return Unit{};
    BackendText backend = read_backend(read_.document, section, *name);
    if (!read_.backends.emplace(*name, std::move(backend)).second)
      return at(section, "this backend is given twice");
    return Unit{};
  }

  HaproxyText read_;
  std::set<base::Uuid> listeners_;
  std::map<uint16_t, std::string> ports_;  // to the name of the frontend
};

class Placer {
 public:
  Placer(const HaproxyText& text, const model::LoadBalancer& lb, model::Model& model)
      : text_(text), lb_(lb), model_(model) {
    vips_.insert(lb.vip_address);
    for (const model::AdditionalVip& vip : lb.additional_vips) vips_.insert(vip.ip_address);
  }

  // Those of the datapath first: a pool is as their backends say.
  void place() {
    std::map<base::Uuid, std::string>& left = model_.amphora->left_to_haproxy;
    std::set<base::Uuid> taken;
    for (const FrontendText& frontend : text_.frontends) {
      const BackendText* backend = backend_of(frontend);
      std::string reason = reason_to_leave(frontend, backend);
      if (!reason.empty()) {
        left.emplace(frontend.listener.id, std::move(reason));
        continue;
      }
      taken.insert(frontend.listener.id);
      if (backend != nullptr) add_pool(backend->pool);
      add_listener(frontend, backend);
    }
    for (const FrontendText& frontend : text_.frontends)
      if (left.contains(frontend.listener.id)) add_left(frontend);
    model_.amphora->haproxy_text = remainder(text_.document, taken);
    model_.amphora->whole_text = remainder(text_.document, {});
  }

 private:
  const BackendText* find(const BackendName& name) const {
    const auto found = text_.backends.find(name);
    return found == text_.backends.end() ? nullptr : &found->second;
  }

  // nullptr: it has none, or there is no such section.
  const BackendText* backend_of(const FrontendText& frontend) const {
    return frontend.default_backend ? find(*frontend.default_backend) : nullptr;
  }

  std::string reason_to_leave(const FrontendText& frontend, const BackendText* backend) const {
    if (!frontend.reason.empty()) return frontend.reason;
    if (!text_.reason.empty()) return text_.reason;
    const std::set<IpAddress> vips(frontend.vips.begin(), frontend.vips.end());
    if (vips != vips_ || vips.size() != frontend.vips.size())
      return "its binds are not the VIPs of the load balancer";
    if (!frontend.default_backend) return "";
    if (backend == nullptr) return "its default_backend is not there";
    if (!backend->reason.empty()) return backend->reason;
    if (std::string reason = unreachable(backend->pool); !reason.empty()) return reason;
    return contradiction(backend->pool);
  }

  // A proxy connects anew, whoever it is to; a packet is only sent on, and keeps its family.
  std::string unreachable(const PoolText& pool) const {
    for (const model::Member& member : pool.members) {
      if (!member.admin_state_up) continue;
      const std::string name = "member " + member.address.text() + " is ";
      if (!is_one_machine(member.address)) return name + "not the address of one machine";
      if (vips_.contains(member.address)) return name + "a VIP of the load balancer";
      for (const IpAddress& vip : vips_)
        if (member.address.family() != vip.family())
          return name + std::string(family_word(member.address)) + ", VIP " + vip.text() + " is " +
                 std::string(family_word(vip));
    }
    return "";
  }

  // The model has each pool and member once.
  std::string contradiction(const PoolText& pool) const {
    const auto known = pools_.find(pool.pool.id);
    if (known != pools_.end())
      return *known->second == pool
                 ? ""
                 : "pool " + pool.pool.id.text() + " is not as for another listener";
    for (const model::Member& member : pool.members)
      if (model_.members.contains(member.id))
        return "member " + member.id.text() + " is in another pool, too";
    return "";
  }

  void add_pool(const PoolText& text) {
    if (!pools_.emplace(text.pool.id, &text).second) return;
    model::Pool& pool = model_.pools.emplace(text.pool.id, text.pool).first->second;
    pool.load_balancer = lb_.id;
    if (text.monitor) model_.health_monitors.emplace(text.monitor->id, *text.monitor);
    for (const model::Member& member : text.members) model_.members.emplace(member.id, member);
  }

  void add_listener(const FrontendText& frontend, const BackendText* backend) {
    model::Listener listener = frontend.listener;
    listener.load_balancer = lb_.id;
    if (backend == nullptr) listener.default_pool.reset();
    if (backend != nullptr) {
      listener.timeout_member_connect = backend->timeout_connect;
      listener.timeout_member_data = backend->timeout_server;
    }
    model_.listeners.emplace(listener.id, std::move(listener));
  }

  void add_left(const FrontendText& frontend) {
    const BackendText* backend = backend_of(frontend);
    if (backend != nullptr) add_pool(backend->pool);
    for (const BackendName& name : frontend.other_backends)
      if (const BackendText* other = find(name)) add_pool(other->pool);
    add_listener(frontend, backend);
  }

  const HaproxyText& text_;
  const model::LoadBalancer& lb_;
  model::Model& model_;
  std::set<IpAddress> vips_;
  std::map<base::Uuid, const PoolText*> pools_;  // that the model has
};

}  // namespace

Result<HaproxyText> read_haproxy(std::string text) {
  auto document = haproxy::Document::parse(std::move(text));
  if (!document) return document.error();
  return HaproxyReader(std::move(*document)).read();
}

void add_haproxy(const HaproxyText& text, const model::LoadBalancer& lb, model::Model& model) {
  Placer(text, lb, model).place();
}

}  // namespace octavia
