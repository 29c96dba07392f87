#include "agent/control/router.h"

#include <optional>
#include <span>

#include "agent/control/routes.h"
#include "agent/http/json_body.h"
#include "agent/http/url.h"
#include "agent/model/kinds.h"

namespace control {
namespace {

using model::Fault;
using model::Kind;

using Path = std::span<const std::string>;

bool matches(std::string_view pattern, Path path) {
  for (const std::string& have : path) {
    const std::string_view want = http::next_segment(pattern);
    if (want.empty()) return false;
    const bool version = want == "v2" && have == "v2.0";
    if (want[0] != '{' && want != have && !version) return false;
  }
  return http::next_segment(pattern).empty();
}

Kind kind_of(std::string_view id_segment) {
  if (id_segment == "{lb}") return Kind::load_balancer;
  if (id_segment == "{listener}") return Kind::listener;
  if (id_segment == "{healthmonitor}") return Kind::health_monitor;
  if (id_segment == "{l7policy}") return Kind::l7policy;
  if (id_segment == "{rule}") return Kind::l7rule;
  return id_segment == "{pool}" ? Kind::pool : Kind::member;
}

// Reads the ids of a path. Text that is no id names nothing that exists.
std::optional<Fault> read_ids(const Route& matched, Path path, Call& call) {
  std::string_view pattern = matched.pattern;
  for (const std::string& have : path) {
    const std::string_view want = http::next_segment(pattern);
    if (want[0] != '{') continue;
    if (want == "{name}") {
      call.name = have;
      continue;
    }
    const Kind kind = kind_of(want);
    const auto id = base::Uuid::parse(have);
    if (!id || id->is_nil()) return not_found(kind, have);
    (kind == matched.kind ? call.id : call.parent) = *id;
  }
  return std::nullopt;
}

std::string collection_of(const Call& call, Path path) {
  const size_t segments = path.size() - (call.id.is_nil() ? 0 : 1);
  std::string text;
  for (const std::string& segment : path.first(segments))
    text += "/" + http::percent_encode(segment);
  return text;
}

std::variant<Call, NoRoute> understand(const Route& matched, http::Target target,
                                       std::string_view body) {
  Call call;
  call.action = matched.action;
  call.kind = matched.kind;
  call.noun = matched.noun;
  if (auto fault = read_ids(matched, target.path, call)) return NoRoute{*fault, ""};
  call.collection = collection_of(call, target.path);
  call.query = std::move(target.query);
  if (matched.body == Body::bytes) call.bytes = body;
  if (matched.body == Body::object) {
    auto parsed = http::parse_body(body);
    if (auto* fault = std::get_if<Fault>(&parsed)) return NoRoute{*fault, ""};
    call.body = std::get<nlohmann::json>(std::move(parsed));
  }
  return call;
}

}  // namespace

std::variant<Call, NoRoute> route(std::string_view method, std::string_view target,
                                  std::string_view body) {
  auto parsed = http::parse_target(target);
  if (!parsed)
    return NoRoute{{400, "The request target '" + std::string(target) + "' is not valid."}, ""};
  if (method == "HEAD") method = "GET";
  std::string allow;
  for (const Route& candidate : kRoutes) {
    if (!matches(candidate.pattern, parsed->path)) continue;
    if (candidate.method == method) return understand(candidate, std::move(*parsed), body);
    if (!allow.empty()) allow += ", ";
    allow += candidate.method == "GET" ? "GET, HEAD" : candidate.method;
  }
  if (allow.empty()) return NoRoute{{404, "The resource could not be found."}, ""};
  return NoRoute{{405, "The method " + std::string(method) + " is not allowed for this resource."},
                 allow};
}

}  // namespace control
