// Requests of Octavia's controllers, recognised (contract, 1.4). Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace octavia {

enum class Action : uint8_t {
  discover,
  info,
  details,
  list_listeners,
  put_haproxy,
  get_haproxy,
  act,  // start, stop and reload of a load balancer or of a UDP listener
  remove_listener,
  put_lvs,
  get_lvs,
  put_certificate,
  get_certificate,
  remove_certificate,
  plug_vip,
  plug_network,
  put_server_certificate,
  put_config,
  put_vrrp,
  act_on_vrrp,
  get_interface,
  put_rules,
};

struct Call {
  Action action = Action::discover;
  std::vector<std::string> words;  // what stands for the pattern's {}, percent-decoded; not checked

  friend bool operator==(const Call&, const Call&) = default;
};

struct NoRoute {
  int status = 404;   // 400, 404, 405
  std::string text;   // of the generic error (1.2), without its status
  std::string allow;  // of 405: the methods that there are

  friend bool operator==(const NoRoute&, const NoRoute&) = default;
};

// Empty segments count for nothing: "//" is "/". HEAD is GET.
std::variant<Call, NoRoute> route(std::string_view method, std::string_view target);

}  // namespace octavia
