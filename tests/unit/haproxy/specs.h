// Specs for tests: listener 1 at 192.0.2.1:80 in mode HTTP, with pool 2 of one member.
#pragma once

#include "haproxy/render.h"
#include "tests/support/addresses.h"

namespace haproxy_test {

inline base::Uuid id(int number) {
  base::Uuid id;
  id.bytes[15] = static_cast<uint8_t>(number);
  return id;
}

using test::ip;

inline haproxy::BackendId pool(int pool, int listener = 1) { return {id(pool), id(listener)}; }

struct Made {
  haproxy::Spec spec;
  haproxy::Surroundings around{"/run/x/stats.sock", "/var/lib/x/state", 20000, "", "", "", "", 2};

  Made() {
    haproxy::Frontend frontend;
    frontend.listener = id(1);
    frontend.load_balancer = id(9);
    frontend.binds = {{ip("192.0.2.1"), 80}};
    frontend.default_backend = pool(2);
    spec.frontends[id(1)] = frontend;
    haproxy::Backend backend;
    backend.id = pool(2);
    haproxy::Server server;
    server.member = id(3);
    server.place = {ip("203.0.113.7"), 8080};
    backend.servers = {server};
    spec.backends[pool(2)] = backend;
  }
  haproxy::Frontend& frontend() { return spec.frontends.at(id(1)); }
  haproxy::Backend& backend() { return spec.backends.at(pool(2)); }
  haproxy::Server& server() { return backend().servers[0]; }
  std::string text() const { return haproxy::render(spec, around); }
};

}  // namespace haproxy_test
