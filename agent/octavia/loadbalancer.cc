// The door's handlers of load balancers: the text for HAProxy, and start, stop and reload.
#include <utility>

#include "agent/octavia/answers.h"
#include "agent/octavia/door.h"
#include "agent/octavia/words.h"

namespace octavia {
namespace {

http::Response no_such_load_balancer(const std::string& id) {
  return answer(404, "Loadbalancer Not Found", "No loadbalancer with UUID: " + id);
}

}  // namespace

Awaited<http::Response> Door::put_haproxy(const Call& call, const std::string& body) {
  const auto amphora = id_of(call.words[0]), id = id_of(call.words[1]);
  if (!amphora || !id) co_return answer(400, "Invalid request", "An id in the path is no UUID.");
  const auto turn = co_await uploads_.take();
  const Kept kept = co_await keep(haproxy_of(*id), body);
  switch (kept.how) {
    case Kept::How::kept:
      break;
    case Kept::How::refused:
      co_return answer(400, "Invalid request", kept.why);
    case Kept::How::failed:
      co_return answer(500, "Error enabling haproxy-" + id->text() + " service", kept.why);
  }
  co_return with_etag(answer(202, "OK"), body);
}

Awaited<http::Response> Door::get_haproxy(const Call& call) {
  const auto id = id_of(call.words[0]);
  if (!id) co_return no_such_load_balancer(call.words[0]);
  auto stored = co_await parts_.documents.read(haproxy_of(*id));
  if (!stored) co_return failure(stored.error().message());
  if (!*stored) co_return no_such_load_balancer(call.words[0]);
  http::Response response;
  response.content_type = "text/plain; charset=UTF-8";
  response.body = std::move(**stored);
  const std::string bytes = response.body;
  co_return with_etag(std::move(response), bytes);
}

// Of either a load balancer or a UDP listener: which, its stored text says.
Awaited<http::Response> Door::act(const Call& call) {
  const std::string action = action_of(call.words[1]);
  if (action.empty()) co_return answer(400, "Invalid Request", "Unknown action: " + call.words[1]);
  const auto id = id_of(call.words[0]);
  if (!id) co_return no_such_load_balancer(call.words[0]);
  const auto turn = co_await uploads_.take();
  const auto lvs = co_await parts_.documents.read(lvs_of(*id));
  if (!lvs) co_return failure(lvs.error().message());
  const auto haproxy = co_await parts_.documents.read(haproxy_of(*id));
  if (!haproxy) co_return failure(haproxy.error().message());
  const bool is_lvs = lvs->has_value();
  if (!is_lvs && !haproxy->has_value()) co_return no_such_load_balancer(call.words[0]);
  if (action == "stop")
    stopped_.insert(*id);
  else
    stopped_.erase(*id);
  const auto carried = co_await carry_out();
  const std::string what = is_lvs ? "keepalivedlvs listener " : "haproxy daemon for ";
  if (!carried)
    co_return answer(500,
                     is_lvs ? "Failed to " + action + " keepalivedlvs listener " + id->text()
                            : "Error " + action + "ing haproxy",
                     carried.error().message());
  co_return answer(202, "OK", what + id->text() + " " + action + "ed");
}

}  // namespace octavia
