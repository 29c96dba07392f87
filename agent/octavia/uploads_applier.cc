#include "agent/octavia/uploads_applier.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace octavia {
namespace {

using base::Result;
using base::Status;
using base::Unit;
using model::ListenerProtocol;
using Server = ShownListener::Server;

// The one that Octavia writes beside PROMETHEUS listeners (5.11).
constexpr const char* kInternal = "prometheus-exporter-internal-endpoint";

ShownListener shown(const model::Listener& listener) {
  const std::string id = listener.id.text();
  switch (listener.protocol) {
    case ListenerProtocol::udp:
    case ListenerProtocol::sctp:
      return {id, Server::lvs, "UDP", listener.admin_state_up};
    case ListenerProtocol::terminated_https:
      return {id, Server::haproxy, "TERMINATED_HTTPS", true};
    case ListenerProtocol::http:
    case ListenerProtocol::prometheus:
      return {id, Server::haproxy, "HTTP", true};
    case ListenerProtocol::tcp:
    case ListenerProtocol::https:
      return {id, Server::haproxy, "TCP", true};
  }
  return {};
}

// New certificates under old names are a new text: HAProxy reads files only when it loads one.
void mark_certificates(const Uploads& uploads, std::string& text) {
  for (const auto& [load_balancer, fingerprint] : uploads.certificates)
    if (uploads.haproxy.contains(load_balancer)) text += "# certificates " + fingerprint + "\n";
}

}  // namespace

Result<model::Model> model_of(const Uploads& uploads, const Uuid& amphora) {
  auto model = translate(uploads, amphora);
  if (!model) return model.error();
  for (std::string* text : {&model->amphora->haproxy_text, &model->amphora->whole_text})
    if (!text->empty()) mark_certificates(uploads, *text);
  return model;
}

Result<model::Model> model_of_readable(Uploads& uploads, const Uuid& amphora,
                                       const LeftOut& left_out) {
  auto model = model_of(uploads, amphora);
  if (model) return model;
  for (const std::string& reason : take_out_unreadable(uploads, amphora)) left_out(reason);
  return model_of(uploads, amphora);
}

LeftOut UploadsApplier::say_once() {
  return [this](const std::string& reason) {
    if (left_out_.insert(reason).second) spdlog::error("left out: {}", reason);
  };
}

// By what HAProxy is asked about: the whole text changes with each weight that is the datapath's.
bool UploadsApplier::was_checked(const model::Amphora& amphora) const {
  return checked_ && checked_->haproxy_text == amphora.haproxy_text &&
         checked_->peer_name == amphora.peer_name;
}

Awaited<Status> UploadsApplier::examine(Uploads uploads, Document document) {
  auto model = model_of(uploads, amphora_);
  if (!model) {
    auto& texts = document.kind == Document::Kind::lvs ? uploads.lvs : uploads.haproxy;
    auto own = texts.extract(document.id);
    auto others = model_of_readable(uploads, amphora_, say_once());
    texts.insert(std::move(own));
    if (others) model = model_of(uploads, amphora_);
  }
  if (!model) co_return model.error();
  const model::Amphora& amphora = *model->amphora;
  // Without anything for HAProxy, everything was understood here.
  if (amphora.haproxy_text.empty() || was_checked(amphora)) co_return Unit{};
  auto good = co_await means_.checker.check(amphora.haproxy_text, amphora.peer_name);
  if (good) checked_ = amphora;
  co_return good;
}

Awaited<Status> UploadsApplier::apply(Uploads uploads, std::set<Uuid> stopped) {
  for (const Uuid& id : stopped) {
    uploads.haproxy.erase(id);
    uploads.lvs.erase(id);
  }
  auto model = model_of_readable(uploads, amphora_, say_once());
  if (!model) co_return model.error();
  if (means_.applies) means_.applies(uploads);
  if (carried_ && *carried_ == *model) co_return Unit{};
  carried_.reset();
  auto done = co_await means_.carry_out(*model);
  if (done) carried_ = std::move(*model);
  co_return done;
}

std::vector<ShownListener> UploadsApplier::listeners(Uploads uploads) {
  std::vector<ShownListener> all;
  const auto model = model_of_readable(uploads, amphora_, say_once());
  if (!model) return all;
  for (const auto& [id, listener] : model->listeners) all.push_back(shown(listener));
  for (const auto& [id, text] : uploads.haproxy)
    if (text.find(std::string("\nfrontend ") + kInternal) != std::string::npos)
      all.push_back({kInternal, Server::haproxy, "HTTP", true});
  std::ranges::sort(all, {}, &ShownListener::id);
  return all;
}

}  // namespace octavia
