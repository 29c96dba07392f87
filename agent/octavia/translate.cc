#include "agent/octavia/translate.h"

#include <openssl/sha.h>

#include <algorithm>
#include <optional>
#include <set>

#include "agent/model/limits.h"
#include "agent/octavia/translate_haproxy.h"
#include "agent/octavia/translate_lvs.h"

namespace octavia {

namespace {

using base::Error;
using base::IpAddress;
using base::Result;
using base::Status;
using base::Unit;

// The name that Octavia gives an amphora among HAProxy's peers (contract 5.3): SHA-1 of its id, in
// a base64 whose characters may be in a name.
std::string peer_name(const Uuid& amphora) {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
  const std::string text = amphora.text();
  unsigned char sum[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), sum);
  std::string name;
  unsigned bits = 0, count = 0;
  for (const unsigned char byte : sum) {
    bits = bits << 8 | byte;
    for (count += 8; count >= 6; count -= 6) name += kDigits[bits >> (count - 6) & 63];
  }
  name += kDigits[bits << (6 - count) & 63];
  if (name[0] == '-') name[0] = 'x';
  return name;
}

// "line 12: ..." within a text.
Error in(const std::string& text, const Error& error) { return {0, text + ", " + error.what}; }

class Translator {
 public:
  Translator(const Uploads& uploads, const Uuid& amphora) : uploads_(uploads), amphora_(amphora) {}

  Result<model::Model> translate() && {
    model_.amphora.emplace();
    if (auto done = read(); !done) return done.error();
    if (load_balancer_) {
      if (auto done = add(); !done) return done.error();
      if (auto done = check_size(); !done) return done.error();
    }
    return std::move(model_);
  }

 private:
  Status belongs_to(const Uuid& load_balancer) {
    if (!load_balancer_) load_balancer_ = load_balancer;
    if (*load_balancer_ == load_balancer) return Unit{};
    return Error{0, "there are texts of two load balancers, " + load_balancer_->text() + " and " +
                        load_balancer.text() + "; an amphora serves one"};
  }

  Status read() {
    for (const auto& [lb, text] : uploads_.haproxy) {
      if (auto done = belongs_to(lb); !done) return done.error();
      auto read = read_haproxy(text);
      if (!read) return in("haproxy.cfg", read.error());
      haproxy_.emplace(std::move(*read));
    }
    for (const auto& [listener, text] : uploads_.lvs) {
      auto read = keepalived::read_lvs(text);
      if (!read) return in("listener " + listener.text(), read.error());
      if (read->listener != listener)
        return Error{0, "listener " + listener.text() + ": the text is of listener " +
                            read->listener.text()};
      if (auto done = belongs_to(read->load_balancer); !done) return done.error();
      lvs_.push_back(std::move(*read));
    }
    return Unit{};
  }

  Status add() {
    model::LoadBalancer lb;
    lb.id = *load_balancer_;
    lb.admin_state_up = is_up();
    const std::vector<IpAddress> vips = vips_in_order();
    if (!vips.empty()) lb.vip_address = vips[0];
    for (size_t i = 1; i < vips.size(); i++) lb.additional_vips.push_back({vips[i], ""});
    if (haproxy_)
      for (const FrontendText& frontend : haproxy_->frontends)
        if (lb.project_id.empty()) lb.project_id = frontend.project_id;
    model_.load_balancers.emplace(lb.id, lb);
    if (haproxy_) {
      if (haproxy_->has_peers) model_.amphora->peer_name = peer_name(amphora_);
      add_haproxy(*haproxy_, lb, model_);
    }
    std::set<uint16_t> ports;
    for (const keepalived::LvsDocument& text : lvs_) {
      const std::string name = "listener " + text.listener.text();
      if (auto done = add_lvs(text, lb, model_); !done) return in(name, done.error());
      const uint16_t port = model_.listeners.at(text.listener).protocol_port;
      if (port != 0 && !ports.insert(port).second)
        return Error{0, name + ": another listener has port " + std::to_string(port)};
    }
    return Unit{};
  }

  // A load balancer that is switched off has a text without any frontend. So has one whose
  // listeners all are: nobody can tell, and nothing is forwarded either way.
  bool is_up() const {
    if (!haproxy_ || !haproxy_->frontends.empty()) return true;
    return std::any_of(lvs_.begin(), lvs_.end(),
                       [](const auto& text) { return !text.virtual_servers.empty(); });
  }

  // The order of the binds is Octavia's: the primary one first.
  std::vector<IpAddress> vips_in_order() const {
    std::vector<IpAddress> named;
    const auto add = [&named](const IpAddress& vip) {
      if (std::find(named.begin(), named.end(), vip) == named.end()) named.push_back(vip);
    };
    if (haproxy_)
      for (const FrontendText& frontend : haproxy_->frontends)
        for (const IpAddress& vip : frontend.vips) add(vip);
    for (const keepalived::LvsDocument& text : lvs_)
      for (const keepalived::LvsVirtualServer& server : text.virtual_servers)
        for (const base::Endpoint& vip : server.vips) add(vip.address);
    return named;
  }

  Status check_size() const {
    const auto refused = [](size_t count, const char* what, size_t most) {
      return Error{0, std::to_string(count) + " " + what + " are more than " +
                          std::to_string(most) + ", which one machine carries out"};
    };
    const size_t services = model::services_of(model_);
    if (services > model::kMostServices)
      return refused(services, "listeners, counted once for each VIP,", model::kMostServices);
    if (model_.members.size() > model::kMostMembers)
      return refused(model_.members.size(), "members", model::kMostMembers);
    return Unit{};
  }

  const Uploads& uploads_;
  const Uuid& amphora_;
  model::Model model_;
  std::optional<Uuid> load_balancer_;
  std::optional<HaproxyText> haproxy_;
  std::vector<keepalived::LvsDocument> lvs_;
};

}  // namespace

Result<model::Model> translate(const Uploads& uploads, const Uuid& amphora) {
  return Translator(uploads, amphora).translate();
}

std::vector<std::string> take_out_unreadable(Uploads& uploads, const Uuid& amphora) {
  std::vector<std::string> reasons;
  const auto unreadable = [&](const Uploads& one, const std::string& name) {
    const auto model = translate(one, amphora);
    if (!model) reasons.push_back(name + ": " + model.error().message());
    return !model.ok();
  };
  std::erase_if(uploads.haproxy, [&](const auto& one) {
    return unreadable({{one}, {}, "", {}}, "text of load balancer " + one.first.text());
  });
  std::erase_if(uploads.lvs, [&](const auto& one) {
    return unreadable({{}, {one}, "", {}}, "text of listener " + one.first.text());
  });
  return reasons;
}

}  // namespace octavia
