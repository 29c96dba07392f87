// The door's handlers of interfaces and of VRRP.
#include <utility>

#include "agent/octavia/answers.h"
#include "agent/octavia/door.h"
#include "agent/octavia/words.h"
#include "base/ip.h"

namespace octavia {

Awaited<http::Response> Door::plug(const Call& call, const std::string& body) {
  const auto turn = co_await plugs_.take();
  if (call.action == Action::plug_vip)
    co_return answer(co_await parts_.plugging.plug_vip(call.words[0], body));
  co_return answer(co_await parts_.plugging.plug_network(body));
}

Awaited<http::Response> Door::get_interface(const Call& call) {
  const auto address = base::IpAddress::parse(call.words[0]);
  if (!address) co_return answer(400, "Invalid IP address");
  auto found = co_await parts_.plugging.interface_of(*address);
  if (!found) co_return failure(found.error().message());
  if (!*found) co_return answer(404, "Error interface not found for IP address");
  co_return with_interface(**found);
}

Awaited<http::Response> Door::put_rules(const Call& call, const std::string& body) {
  const auto address = base::IpAddress::parse(call.words[0]);
  if (!address) co_return answer(400, "Invalid IP address");
  const auto turn = co_await plugs_.take();
  auto found = co_await parts_.plugging.interface_of(*address);
  if (!found) co_return failure(found.error().message());
  if (!*found) co_return answer(404, "Error interface not found for IP address");
  co_return answer(co_await parts_.plugging.put_rules(std::move(**found), body));
}

Awaited<http::Response> Door::put_vrrp(const std::string& body) {
  constexpr const char* kTrouble = "Error enabling octavia-keepalived service";
  const auto turn = co_await uploads_.take();
  const auto good = co_await parts_.vrrp.examine(body);
  if (!good) co_return answer(400, "Invalid request", good.error().message());
  // With a name: GCC 12 moves aggregates among a coroutine's temporaries as if they were plain
  // bytes.
  const Document document{Document::Kind::vrrp};
  const auto written = co_await parts_.documents.write(document, body);
  if (!written) co_return answer(500, kTrouble, written.error().message());
  auto ready = co_await parts_.vrrp.uploaded();
  if (!ready) co_return answer(500, kTrouble, ready.error().message());
  auto uploads = co_await parts_.documents.uploads();
  if (!uploads) co_return answer(500, kTrouble, uploads.error().message());
  ready = co_await parts_.vrrp.refresh_checks(std::move(*uploads));
  if (!ready) co_return answer(500, kTrouble, ready.error().message());
  co_return with_etag(answer(200, "OK"), body);
}

Awaited<http::Response> Door::act_on_vrrp(const Call& call) {
  const std::string action = action_of(call.words[0]);
  if (action.empty()) co_return answer(400, "Invalid Request", "Unknown action: " + call.words[0]);
  const auto turn = co_await uploads_.take();
  base::Status done = base::Unit{};
  if (action == "start")
    done = co_await parts_.vrrp.start();
  else if (action == "stop")
    done = co_await parts_.vrrp.stop();
  else
    done = co_await parts_.vrrp.reload();
  if (!done)
    co_return answer(500, "Failed to " + action + " octavia-keepalived service",
                     done.error().message());
  co_return answer(202, "OK", "keepalived " + action + "ed");
}

}  // namespace octavia
