#include "agent/octavia/door.h"

#include <utility>
#include <variant>

#include "agent/http/response.h"
#include "agent/octavia/answers.h"

namespace octavia {

Door::Door(boost::asio::any_io_executor loop, Parts parts, Identity identity)
    : parts_(parts), identity_(std::move(identity)), uploads_(loop), plugs_(loop) {}

Awaited<http::Response> Door::handle(http::Request request) {
  const auto routed = route(request.method, request.target);
  if (const auto* refused = std::get_if<NoRoute>(&routed)) {
    http::Response response = generic_error(refused->status, refused->text);
    if (!refused->allow.empty()) response.headers.emplace_back("Allow", refused->allow);
    co_return response;
  }
  co_return co_await dispatch(std::get<Call>(routed), request.body);
}

Awaited<http::Response> Door::dispatch(const Call& call, const std::string& body) {
  switch (call.action) {
    case Action::discover:
      co_return http::json_response(200, {{"api_version", "1.0"}});
    case Action::info: {
      http::Response response;
      response.body = info_json(identity_);
      co_return response;
    }
    case Action::details:
      co_return co_await details();
    case Action::list_listeners:
      co_return co_await list_listeners();
    case Action::put_haproxy:
      co_return co_await put_haproxy(call, body);
    case Action::get_haproxy:
      co_return co_await get_haproxy(call);
    case Action::act:
      co_return co_await act(call);
    case Action::remove_listener:
      co_return co_await remove_listener(call);
    case Action::put_lvs:
      co_return co_await put_lvs(call, body);
    case Action::get_lvs:
      co_return co_await get_lvs(call);
    case Action::put_certificate:
      co_return co_await put_certificate(call, body);
    case Action::get_certificate:
      co_return co_await get_certificate(call);
    case Action::remove_certificate:
      co_return co_await remove_certificate(call);
    case Action::plug_vip:
    case Action::plug_network:
      co_return co_await plug(call, body);
    case Action::put_server_certificate:
      co_return co_await put_server_certificate(body);
    case Action::put_config:
      co_return co_await put_config(body);
    case Action::put_vrrp:
      co_return co_await put_vrrp(body);
    case Action::act_on_vrrp:
      co_return co_await act_on_vrrp(call);
    case Action::get_interface:
      co_return co_await get_interface(call);
    case Action::put_rules:
      co_return co_await put_rules(call, body);
  }
  co_return failure("no handler");
}

Awaited<Door::Kept> Door::keep(const Document& document, const std::string& text) {
  using How = Kept::How;
  auto stored = co_await parts_.documents.read(document);
  if (!stored) co_return Kept{How::failed, stored.error().message()};
  // Controllers send everything again for every change of anything.
  if (*stored && **stored == text) co_return Kept{};
  auto uploads = co_await parts_.documents.uploads();
  if (!uploads) co_return Kept{How::failed, uploads.error().message()};
  if (document.kind == Document::Kind::haproxy) uploads->haproxy[document.id] = text;
  if (document.kind == Document::Kind::lvs) uploads->lvs[document.id] = text;
  const auto good = co_await parts_.applier.examine(*uploads, document);
  if (!good) co_return Kept{How::refused, good.error().message()};
  const auto written = co_await parts_.documents.write(document, text);
  if (!written) co_return Kept{How::failed, written.error().message()};
  const auto checks = co_await parts_.vrrp.refresh_checks(std::move(*uploads));
  if (!checks) co_return Kept{How::failed, checks.error().message()};
  co_return Kept{};
}

Awaited<base::Status> Door::carry_out() {
  auto uploads = co_await parts_.documents.uploads();
  if (!uploads) co_return uploads.error();
  const auto checks = co_await parts_.vrrp.refresh_checks(*uploads);
  if (!checks) co_return checks.error();
  co_return co_await parts_.applier.apply(std::move(*uploads), stopped_);
}

}  // namespace octavia
