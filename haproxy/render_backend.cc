#include <algorithm>
#include <string>

#include "haproxy/quote.h"
#include "haproxy/render.h"
#include "haproxy/render_parts.h"

namespace haproxy {

namespace {

std::string balance_word(Balance balance) {
  switch (balance) {
    case Balance::round_robin:
      return "roundrobin";
    case Balance::least_connections:
      return "leastconn";
    case Balance::source:
      return "source";
  }
  return "";
}

void render_persistence(const Persistence& persistence, Lines& out) {
  const std::string cookie = argument(persistence.cookie);
  switch (persistence.kind) {
    case Persistence::Kind::source_ip:
      out.add("stick-table type ipv6 size 10k");
      out.add("stick on src");
      break;
    case Persistence::Kind::http_cookie:
      out.add("cookie SRV insert indirect nocache");
      break;
    case Persistence::Kind::app_cookie:
      out.add("stick-table type string len 64 size 10k");
      out.add("stick store-response " + as_word("res.cook(" + cookie + ")"));
      out.add("stick match " + as_word("req.cook(" + cookie + ")"));
      break;
  }
}

// HTTP/1.1 demands a Host even of those who were told no name.
std::string host_of_whoever_is_asked(const Backend& backend) {
  const bool is_ipv6 = !backend.servers.empty() &&
                       backend.servers.front().place.address.family() == base::Family::ipv6;
  return is_ipv6 ? "[%[bc_dst]]:%[bc_dst_port]" : "%[bc_dst]:%[bc_dst_port]";
}

void render_check(const Backend& backend, Lines& out) {
  const Check& check = *backend.check;
  // As the agent's own probes: no check lasts longer than until the next one.
  const int limit = check.timeout > 0 ? std::min(check.timeout, check.interval) : check.interval;
  out.add("timeout check " + std::to_string(limit) + "s");
  if (check.kind == Check::Kind::tcp) return;
  out.add("option httpchk");
  std::string send = "http-check send";
  if (!check.method.empty()) send += " meth " + as_word(check.method);
  if (!check.path.empty()) send += " uri " + as_word(check.path);
  if (!check.version.empty()) send += " ver " + as_word("HTTP/" + check.version);
  if (!check.domain_name.empty())
    send += " hdr Host " + as_word(literal(check.domain_name));
  else if (check.version == "1.1")
    send += " hdr Host " + as_word(host_of_whoever_is_asked(backend));
  out.add(send);
  out.add("http-check expect status " + as_word(check.expected_status));
}

struct Header {
  const char* name;
  const char* value;
};
// Octavia's headers, but X-Forwarded-For and -Proto, which are made otherwise.
constexpr Header kHeaders[] = {
    {"X-Forwarded-Port", "%[dst_port]"},
    {"X-SSL-Client-Verify", "%[ssl_c_verify]"},
    {"X-SSL-Client-Has-Cert", "%[ssl_c_used]"},
    {"X-SSL-Client-DN", "%{+Q}[ssl_c_s_dn]"},
    {"X-SSL-Client-CN", "%{+Q}[ssl_c_s_dn(cn)]"},
    {"X-SSL-Issuer", "%{+Q}[ssl_c_i_dn]"},
    {"X-SSL-Client-SHA1", "%{+Q}[ssl_c_sha1,hex]"},
    {"X-SSL-Client-Not-Before", "%{+Q}[ssl_c_notbefore]"},
    {"X-SSL-Client-Not-After", "%{+Q}[ssl_c_notafter]"},
};

void render_headers(const Backend& backend, Lines& out) {
  const auto wants = [&](const char* name) {
    const auto& names = backend.insert_headers;
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  if (wants("X-Forwarded-For")) out.add("option forwardfor");
  if (wants("X-Forwarded-Proto"))
    out.add(std::string("http-request set-header X-Forwarded-Proto ") +
            (backend.forwarded == Forwarded::tls ? "https" : "http"));
  for (const Header& header : kHeaders)
    if (wants(header.name))
      out.add(std::string("http-request set-header ") + header.name + " " + header.value);
}

// A server that would be given h2 by the traffic's ALPN. Checks are HTTP/1.
bool speaks_h2(const Backend& backend) {
  return backend.tls &&
         std::ranges::find(backend.tls->options.alpn, "h2") != backend.tls->options.alpn.end();
}

std::string check_words(const Backend& backend, const Server& server) {
  const Check& check = *backend.check;
  std::string words = " check";
  if (check.kind == Check::Kind::https) {
    words += " check-ssl";
    if (!check.domain_name.empty()) words += " check-sni " + as_word(check.domain_name);
    // Traffic of a pool with TLS says by itself who is believed, and so the check does.
    // Old members count as alive, too, as for the agent's own probes.
    if (!backend.tls)
      words += " verify none ssl-min-ver TLSv1.0 ciphers " + as_word("ALL:@SECLEVEL=0");
  }
  if (speaks_h2(backend) && check.kind != Check::Kind::tcp) words += " check-alpn http/1.1";
  words += " inter " + std::to_string(check.interval) + "s fall " + std::to_string(check.fall) +
           " rise " + std::to_string(check.rise);
  if (server.check_address) words += " addr " + server.check_address->text();
  if (server.check_port) words += " port " + std::to_string(*server.check_port);
  return words;
}

std::string server_tls_words(const BackendTls& tls) {
  std::string words = " ssl";
  if (tls.certificate) words += " crt " + as_word(tls.certificate->path);
  if (tls.ca) words += " ca-file " + as_word(tls.ca->path);
  if (tls.ca && tls.crl) words += " crl-file " + as_word(tls.crl->path);
  words += tls.ca ? " verify required" : " verify none";
  return words + " sni ssl_fc_sni" + tls_words(tls.options);
}

void render_server(const Backend& backend, const Server& server, Lines& out) {
  const std::string name = server.member.text();
  std::string line = "server " + name + " " + place_word(server.place) + " weight " +
                     std::to_string(server.weight);
  if (backend.check) line += check_words(backend, server);
  if (backend.persistence && backend.persistence->kind == Persistence::Kind::http_cookie)
    line += " cookie " + name;
  if (backend.proxy == ProxyProtocol::v1) line += " send-proxy";
  if (backend.proxy == ProxyProtocol::v2)
    line += backend.forwarded == Forwarded::tls ? " send-proxy-v2-ssl-cn" : " send-proxy-v2";
  if (server.backup) line += " backup";
  if (server.disabled) line += " disabled";
  if (backend.tls) line += server_tls_words(*backend.tls);
  out.add(line);
}

void render_notes(const BackendTls& tls, Lines& out) {
  for (const auto* file : {&tls.certificate, &tls.ca, &tls.crl})
    if (*file) out.add(fingerprint_note(**file));
}

}  // namespace

void render_backend(const Backend& backend, Lines& out) {
  const bool is_http = backend.mode == Mode::http;
  out.section("backend " + backend.id.text());
  if (backend.tls) render_notes(*backend.tls, out);
  out.add(is_http ? "mode http" : "mode tcp");
  if (is_http) out.add("http-reuse safe");
  out.add("balance " + balance_word(backend.balance));
  if (backend.persistence) render_persistence(*backend.persistence, out);
  if (backend.keeps_state) out.add("load-server-state-from-file global");
  if (backend.check) render_check(backend, out);
  if (is_http) render_headers(backend, out);
  out.add("fullconn " + std::to_string(backend.max_connections.value_or(kUnlimited)));
  out.add("option allbackups");
  out.add("timeout connect " + milliseconds(backend.connect_timeout));
  out.add("timeout server " + milliseconds(backend.server_timeout));
  for (const Server& server : backend.servers) render_server(backend, server, out);
}

}  // namespace haproxy
