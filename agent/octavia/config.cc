// The door's handlers of the amphora itself: its certificate, its configuration, its figures.
#include "agent/octavia/answers.h"
#include "agent/octavia/door.h"
#include "base/log.h"

namespace octavia {

// Looked at before it takes the place of a good one: nobody could send another over TLS.
Awaited<http::Response> Door::put_server_certificate(const std::string& body) {
  const auto turn = co_await uploads_.take();
  const auto good = parts_.running.examine_certificate(body);
  if (!good) co_return answer(400, "Invalid request", good.error().message());
  const Document document{Document::Kind::server_certificate};
  const auto written = co_await parts_.documents.write(document, body);
  if (!written) co_return failure(written.error().message());
  const auto shown = parts_.running.show_certificate(body);
  if (!shown) co_return failure(shown.error().message());
  co_return answer(202, "OK");
}

Awaited<http::Response> Door::put_config(const std::string& body) {
  constexpr const char* kTrouble = "Unable to update amphora-agent configuration.";
  const auto turn = co_await uploads_.take();
  const auto read = parse_conf(body, "amphora-agent.conf");
  if (!read) co_return answer(500, kTrouble, read.error().message());
  const Document document{Document::Kind::config};
  const auto written = co_await parts_.documents.write(document, body);
  if (!written) co_return answer(500, kTrouble, written.error().message());
  for (const std::string& option : read->unknown)
    spdlog::warn("amphora-agent.conf: {} is not known, and ignored", option);
  parts_.running.reconfigure(with_mutable(parts_.running.conf(), read->conf));
  co_return answer(202, "OK");
}

Awaited<http::Response> Door::details() {
  auto uploads = co_await parts_.documents.uploads();
  if (!uploads) co_return failure(uploads.error().message());
  auto traffic = co_await parts_.plugging.traffic();
  if (!traffic) co_return failure(traffic.error().message());
  http::Response response;
  response.body = details_json(identity_, {figures_now(), std::move(*traffic), shown(*uploads),
                                           parts_.applier.haproxy_count()});
  co_return response;
}

}  // namespace octavia
