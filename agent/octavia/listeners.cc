// The door's handlers of listeners: those of UDP and SCTP come with a text of their own.
#include <utility>

#include "agent/octavia/answers.h"
#include "agent/octavia/door.h"
#include "agent/octavia/words.h"

namespace octavia {

Awaited<http::Response> Door::list_listeners() {
  auto uploads = co_await parts_.documents.uploads();
  if (!uploads) co_return failure(uploads.error().message());
  http::Response response;
  response.body = listeners_json(shown(*uploads));
  co_return response;
}

std::vector<ShownListener> Door::shown(const Uploads& uploads) const {
  auto all = parts_.applier.listeners(uploads);
  for (ShownListener& listener : all) {
    const auto id = base::Uuid::parse(listener.id);
    if (id && stopped_.contains(*id)) listener.active = false;
  }
  return all;
}

// Takes a load balancer's id too: it goes with all its listeners of HAProxy.
Awaited<http::Response> Door::remove_listener(const Call& call) {
  const auto id = id_of(call.words[0]);
  if (!id) co_return answer(400, "Invalid request", "The id in the path is no UUID.");
  const auto turn = co_await uploads_.take();
  const auto lvs = co_await parts_.documents.read(lvs_of(*id));
  if (!lvs) co_return failure(lvs.error().message());
  const bool is_lvs = lvs->has_value();
  const char* trouble = is_lvs ? "Error stopping keepalivedlvs" : "Error stopping haproxy";
  const Document gone = is_lvs ? lvs_of(*id) : Document{Document::Kind::haproxy, *id};
  const auto removed = co_await parts_.documents.remove(gone);
  if (!removed) co_return answer(500, trouble, removed.error().message());
  stopped_.erase(*id);
  // When nothing was there, too: the one who removed it may not have come this far.
  const auto carried = co_await carry_out();
  if (!carried) co_return answer(500, trouble, carried.error().message());
  if (is_lvs) co_return answer(200, "OK");
  // Nothing serves with them any more; a controller sends them again before it needs them.
  const auto forgotten = co_await parts_.documents.forget(*id);
  if (!forgotten) co_return answer(500, trouble, forgotten.error().message());
  co_return answer(200, "OK");
}

Awaited<http::Response> Door::put_lvs(const Call& call, const std::string& body) {
  const auto amphora = id_of(call.words[0]), id = id_of(call.words[1]);
  if (!amphora || !id) co_return answer(400, "Invalid request", "An id in the path is no UUID.");
  const auto turn = co_await uploads_.take();
  const Kept kept = co_await keep(lvs_of(*id), body);
  // A controller knows no other error here.
  if (kept.how != Kept::How::kept)
    co_return answer(500, "Error enabling octavia-keepalivedlvs-" + id->text() + " service",
                     kept.why);
  co_return with_etag(answer(200, "OK"), body);
}

Awaited<http::Response> Door::get_lvs(const Call& call) {
  const auto id = id_of(call.words[0]);
  base::Result<std::optional<std::string>> stored = std::optional<std::string>();
  if (id) stored = co_await parts_.documents.read(lvs_of(*id));
  if (!stored) co_return failure(stored.error().message());
  if (!*stored)
    co_return answer(404, "UDP Listener Not Found", "No UDP listener with UUID: " + call.words[0]);
  http::Response response;
  response.content_type = "text/plain; charset=UTF-8";
  response.body = std::move(**stored);
  const std::string bytes = response.body;
  co_return with_etag(std::move(response), bytes);
}

}  // namespace octavia
