// A server line of a haproxy.cfg of Octavia's as a member (contract 5.6).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/model/model.h"

namespace octavia {

// How HAProxy checks a server; the same for all of a backend, as Octavia writes it.
struct ServerCheck {
  int delay = 0, fall = 0, rise = 0;  // s; failures and successes in a row
  bool over_tls = false;

  friend bool operator==(const ServerCheck&, const ServerCheck&) = default;
};

struct ServerText {
  // Without its pool. What is not understood is left out: a place may be 0.0.0.0, port 0.
  model::Member member;
  std::optional<ServerCheck> check;
  // What only HAProxy does.
  model::PoolProtocol protocol = model::PoolProtocol::tcp;  // or PROXY, PROXYV2
  bool has_cookie = false, is_encrypted = false;
  bool is_understood = false;  // every word of it, those above included
};

// nullopt: its name is no id.
std::optional<ServerText> read_server(const std::vector<std::string>& words);

}  // namespace octavia
