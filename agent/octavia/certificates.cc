// The door's handlers of tenants' certificates (contract, 2.4).
#include "agent/http/response.h"
#include "agent/octavia/answers.h"
#include "agent/octavia/door.h"
#include "agent/octavia/words.h"

namespace octavia {
namespace {

// nullopt: the path names no certificate.
std::optional<Document> named(const Call& call) {
  const auto id = id_of(call.words[0]);
  if (!id || !is_certificate_name(call.words[1])) return std::nullopt;
  return Document{Document::Kind::certificate, *id, call.words[1]};
}

http::Response wrong_name() { return answer(400, "Filename has wrong format"); }

}  // namespace

Awaited<http::Response> Door::put_certificate(const Call& call, const std::string& body) {
  const auto document = named(call);
  if (!document) co_return wrong_name();
  const auto turn = co_await uploads_.take();
  const auto written = co_await parts_.documents.write(*document, body);
  if (!written) co_return failure(written.error().message());
  co_return with_etag(answer(200, "OK"), body);
}

Awaited<http::Response> Door::get_certificate(const Call& call) {
  const auto document = named(call);
  if (!document) co_return wrong_name();
  const auto stored = co_await parts_.documents.read(*document);
  if (!stored) co_return failure(stored.error().message());
  if (!*stored)
    co_return answer(404, "Certificate Not Found",
                     "No certificate with filename: " + call.words[1]);
  co_return with_etag(http::json_response(200, {{"md5sum", md5_hex(**stored)}}), **stored);
}

Awaited<http::Response> Door::remove_certificate(const Call& call) {
  const auto document = named(call);
  if (!document) co_return wrong_name();
  const auto turn = co_await uploads_.take();
  const auto removed = co_await parts_.documents.remove(*document);
  if (!removed) co_return failure(removed.error().message());
  co_return answer(200, "OK");
}

}  // namespace octavia
