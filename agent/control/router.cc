#include "agent/control/router.h"

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agent/control/routes.h"
#include "agent/http/json_body.h"
#include "agent/http/url.h"
#include "agent/model/kinds.h"

namespace control {
namespace {

using model::Fault;
using model::Kind;

using Path = std::span<const std::string>;

bool is_version(std::string_view segment) { return segment == "v2" || segment == "v2.0"; }

// The next segment of a pattern for a path that goes on with `have`: clients may leave "lbaas" out,
// as in Octavia.
std::string_view next_wanted(std::string_view& pattern, std::string_view have) {
  const std::string_view want = http::next_segment(pattern);
  return want == "lbaas" && have != "lbaas" ? http::next_segment(pattern) : want;
}

bool matches(std::string_view pattern, Path path) {
  for (const std::string& have : path) {
    const std::string_view want = next_wanted(pattern, have);
    if (want.empty()) return false;
    const bool version = want == "v2" && is_version(have);
    if (want[0] != '{' && want != have && !version) return false;
  }
  return next_wanted(pattern, "").empty();
}

// "/v2.0/lbaas/pools.json" is "/v2.0/lbaas/pools": old clients say that they want JSON.
void drop_extension(std::vector<std::string>& path) {
  constexpr std::string_view kExtension = ".json";
  if (path.size() < 2 || !is_version(path.front()) || !path.back().ends_with(kExtension)) return;
  path.back().resize(path.back().size() - kExtension.size());
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
    const std::string_view want = next_wanted(pattern, have);
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
  drop_extension(parsed->path);
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
