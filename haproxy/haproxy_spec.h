// What HAProxy should serve, as a value: frontends for listeners that need layer 7, a backend for
// each (pool, listener). Text comes from it by render.h; nothing here knows HAProxy's grammar.
// Strings are users' and may hold anything: render.h quotes them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/ip.h"
#include "base/uuid.h"

namespace haproxy {

enum class Mode : uint8_t { tcp, http };
enum class Balance : uint8_t { round_robin, least_connections, source };
enum class ClientAuthentication : uint8_t { none, optional, mandatory };
enum class ProxyProtocol : uint8_t { none, v1, v2 };
enum class Fetch : uint8_t {
  host,
  path,
  file_type,
  header,
  cookie,
  client_has_certificate,
  verify_result,
  client_dn_field
};
enum class Match : uint8_t { regex, prefix, suffix, substring, exact };
enum class Action : uint8_t { deny, redirect_location, redirect_prefix, use_backend };
enum class Health : uint8_t { up, down };

// A file on the agent's disk. The fingerprint changes when the content does, so that new content
// under an old name is a new Spec and a new text.
struct PemFile {
  std::string path, fingerprint;

  friend bool operator==(const PemFile&, const PemFile&) = default;
};

// Of both sides. Empty lists: the product's defaults.
struct TlsOptions {
  std::string ciphers;  // OpenSSL's list; TLS 1.3 suites ("TLS_...") may be among them
  std::vector<std::string> versions;  // "TLSv1.2"
  std::vector<std::string> alpn;

  friend bool operator==(const TlsOptions&, const TlsOptions&) = default;
};

struct FrontendTls {
  std::vector<PemFile> certificates;  // the first is the default, the others go by their names
  // A crt-list that names the others: a line of HAProxy's has room for some 25. none: it names
  // them.
  std::optional<PemFile> list = {};
  std::optional<PemFile> client_ca, client_crl;
  ClientAuthentication authentication = ClientAuthentication::none;
  TlsOptions options;

  friend bool operator==(const FrontendTls&, const FrontendTls&) = default;
};

struct Hsts {
  int max_age = 0;  // s
  bool include_subdomains = false, preload = false;

  friend bool operator==(const Hsts&, const Hsts&) = default;
};

// A pool as one listener uses it.
struct BackendId {
  base::Uuid pool, listener;

  std::string text() const { return pool.text() + ":" + listener.text(); }
  auto operator<=>(const BackendId&) const = default;
};

struct Rule {
  base::Uuid id;
  Fetch fetch = Fetch::path;
  Match match = Match::exact;
  std::string key;  // of header, cookie and client_dn_field
  std::string value;
  bool invert = false;

  friend bool operator==(const Rule&, const Rule&) = default;
};

struct Policy {
  base::Uuid id;
  Action action = Action::deny;
  std::string target;       // URL or prefix of redirects
  int code = 302;           // of redirects
  BackendId backend;        // of use_backend
  std::vector<Rule> rules;  // all must match; never empty

  friend bool operator==(const Policy&, const Policy&) = default;
};

// What a frontend answers from.
enum class Source : uint8_t { backends, metrics };

struct Frontend {
  base::Uuid listener, load_balancer;
  std::string project;  // for the log
  Source source = Source::backends;
  Mode mode = Mode::http;
  std::vector<base::Endpoint> binds;
  std::optional<int> max_connections;
  int64_t client_timeout = 50000;  // ms, as the next
  int64_t inspect_delay = 0;       // 0: none
  std::optional<FrontendTls> tls;
  std::optional<Hsts> hsts;
  std::vector<Policy> policies;  // by position
  std::optional<BackendId> default_backend;

  friend bool operator==(const Frontend&, const Frontend&) = default;
};

struct Persistence {
  enum class Kind : uint8_t { source_ip, http_cookie, app_cookie };
  Kind kind = Kind::source_ip;
  std::string cookie;  // of app_cookie

  friend bool operator==(const Persistence&, const Persistence&) = default;
};

// A check that HAProxy makes by itself.
struct Check {
  enum class Kind : uint8_t { tcp, http, https };
  Kind kind = Kind::tcp;
  int interval = 5, timeout = 5;  // s
  int rise = 2, fall = 3;
  std::string method, path, domain_name;  // HTTP and HTTPS
  std::string version;                    // "1.0", "1.1"; empty: HAProxy's
  std::string expected_status;            // "200-204,301"

  friend bool operator==(const Check&, const Check&) = default;
};

struct BackendTls {
  std::optional<PemFile> certificate, ca, crl;  // without a CA, anybody is believed
  TlsOptions options;

  friend bool operator==(const BackendTls&, const BackendTls&) = default;
};

struct Server {
  base::Uuid member;
  base::Endpoint place;
  int weight = 1;
  bool backup = false, disabled = false;
  std::optional<base::IpAddress> check_address;
  std::optional<uint16_t> check_port;
  // Told to HAProxy at run time, and so no part of the text: what the agent's own prober found.
  // none: HAProxy checks the server itself, or nobody does.
  std::optional<Health> health;

  friend bool operator==(const Server&, const Server&) = default;
};

enum class Forwarded : uint8_t { plain, tls };  // X-Forwarded-Proto

struct Backend {
  BackendId id;
  Mode mode = Mode::http;
  Balance balance = Balance::round_robin;
  std::optional<Persistence> persistence;
  std::optional<Check> check;
  bool keeps_state = false;  // somebody checks its servers: what was found survives a reload
  std::vector<std::string> insert_headers;  // Octavia's names
  Forwarded forwarded = Forwarded::plain;
  int64_t connect_timeout = 5000, server_timeout = 50000;  // ms
  std::optional<int> max_connections;                      // of the listener
  ProxyProtocol proxy = ProxyProtocol::none;
  std::optional<BackendTls> tls;
  std::vector<Server> servers;

  friend bool operator==(const Backend&, const Backend&) = default;
};

// A configuration that somebody else wrote, to be loaded as it is.
struct Uploaded {
  std::string text;
  std::string peer_name;  // of this node among the text's peers (-L); "": it has none

  friend bool operator==(const Uploaded&, const Uploaded&) = default;
};

struct Spec {
  // Set: this text is served instead of one made from frontends and backends, which are empty then;
  // an empty text is nothing to serve.
  std::optional<Uploaded> uploaded;
  std::map<base::Uuid, Frontend> frontends;  // by listener
  std::map<BackendId, Backend> backends;
  // The UNIX socket at which the agent answers GET /metrics; for frontends of Source::metrics.
  std::string metrics_socket;
  int renewals = 0;  // another number asks for another worker, though nothing else is different

  friend bool operator==(const Spec&, const Spec&) = default;
};

// Of a whole machine, by load balancer: each has an HAProxy of its own.
using Specs = std::map<base::Uuid, Spec>;

// `wanted`, and of `running` the listeners among `moving` that only it has: they are served until
// the tables carry them. What is not wanted anywhere ends at once; its certificates may be gone. A
// frontend whose place a wanted one takes is left out.
Spec with_leaving(const Spec& running, const Spec& wanted, const std::set<base::Uuid>& moving);
Specs with_leaving(const Specs& running, const Specs& wanted, const std::set<base::Uuid>& moving);

// Whether there is anything to run an HAProxy for.
bool serves_something(const Spec& spec);

}  // namespace haproxy
