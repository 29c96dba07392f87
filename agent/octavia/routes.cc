#include "agent/octavia/routes.h"

#include <array>
#include <optional>

#include "agent/http/url.h"

namespace octavia {
namespace {

using Path = std::vector<std::string>;

struct Route {
  std::string_view method;
  std::string_view pattern;  // "{}" is any one segment
  Action action;
};

constexpr std::array kRoutes{
    Route{"GET", "/", Action::discover},
    Route{"GET", "/1.0/info", Action::info},
    Route{"GET", "/1.0/details", Action::details},
    Route{"GET", "/1.0/listeners", Action::list_listeners},
    Route{"PUT", "/1.0/loadbalancer/{}/{}/haproxy", Action::put_haproxy},
    Route{"GET", "/1.0/loadbalancer/{}/haproxy", Action::get_haproxy},
    Route{"PUT", "/1.0/loadbalancer/{}/{}", Action::act},
    Route{"DELETE", "/1.0/listeners/{}", Action::remove_listener},
    Route{"PUT", "/1.0/listeners/{}/{}/udp_listener", Action::put_lvs},
    Route{"GET", "/1.0/listeners/{}/udp_listener", Action::get_lvs},
    Route{"PUT", "/1.0/loadbalancer/{}/certificates/{}", Action::put_certificate},
    Route{"GET", "/1.0/loadbalancer/{}/certificates/{}", Action::get_certificate},
    Route{"DELETE", "/1.0/loadbalancer/{}/certificates/{}", Action::remove_certificate},
    Route{"POST", "/1.0/plug/vip/{}", Action::plug_vip},
    Route{"POST", "/1.0/plug/network", Action::plug_network},
    Route{"PUT", "/1.0/certificate", Action::put_server_certificate},
    Route{"PUT", "/1.0/config", Action::put_config},
    Route{"PUT", "/1.0/vrrp/upload", Action::put_vrrp},
    Route{"PUT", "/1.0/vrrp/{}", Action::act_on_vrrp},
    Route{"GET", "/1.0/interface/{}", Action::get_interface},
    Route{"PUT", "/1.0/interface/{}/rules", Action::put_rules},
};

// What stands for the {} of a pattern; nullopt: another path.
std::optional<Path> match(std::string_view pattern, const Path& path) {
  Path words;
  for (const std::string& have : path) {
    const std::string_view want = http::next_segment(pattern);
    if (want == "{}")
      words.push_back(have);
    else if (want != have)
      return std::nullopt;
  }
  if (!http::next_segment(pattern).empty()) return std::nullopt;
  return words;
}

}  // namespace

std::variant<Call, NoRoute> route(std::string_view method, std::string_view target) {
  const auto parsed = http::parse_target(target);
  if (!parsed) return NoRoute{400, "Bad Request: The request target is not valid.", ""};
  if (method == "HEAD") method = "GET";
  std::string allow;
  for (const Route& candidate : kRoutes) {
    auto words = match(candidate.pattern, parsed->path);
    if (!words) continue;
    if (candidate.method == method) return Call{candidate.action, std::move(*words)};
    if (!allow.empty()) allow += ", ";
    allow += candidate.method == "GET" ? "GET, HEAD" : candidate.method;
  }
  if (allow.empty())
    return NoRoute{404,
                   "Not Found: The requested URL was not found on the server. If you entered the "
                   "URL manually please check your spelling and try again.",
                   ""};
  return NoRoute{405, "Method Not Allowed: The method is not allowed for the requested URL.",
                 allow};
}

}  // namespace octavia
