#include <algorithm>
#include <string>

#include "haproxy/quote.h"
#include "haproxy/render.h"
#include "haproxy/render_parts.h"
#include "haproxy/words.h"

namespace haproxy {

namespace {

std::string fetch_words(const Rule& rule) {
  switch (rule.fetch) {
    case Fetch::host:
      return "req.hdr(host) -i";
    case Fetch::path:
      return "path";
    case Fetch::file_type:
      return rule.match == Match::exact ? "path_end" : "path";
    case Fetch::header:
      return as_word("req.hdr(" + argument(rule.key) + ")");
    case Fetch::cookie:
      return as_word("req.cook(" + argument(rule.key) + ")");
    case Fetch::client_has_certificate:
      return "ssl_c_used";
    case Fetch::verify_result:
      return "ssl_c_verify";
    case Fetch::client_dn_field:
      return as_word("ssl_c_s_dn(" + argument(rule.key) + ")");
  }
  return "always_false";
}

// Octavia escapes blanks and backslashes of a value and leaves its quotes to HAProxy: a value in
// quotes is what they hold. Any other value is what it is.
std::string meant(const std::string& value) {
  if (value.size() < 2 || (value.front() != '"' && value.front() != '\'') ||
      value.back() != value.front())
    return value;
  std::string escaped;
  for (const char c : value) {
    if (c == '\\' || c == ' ') escaped += '\\';
    escaped += c;
  }
  const auto read = split_words(escaped);
  return read && read->words.size() == 1 && !read->has_variable ? read->words[0] : value;
}

std::string match_words(const Rule& rule) {
  // The end of the path is what a file type is about: path_end compares by itself.
  if (rule.fetch == Fetch::file_type && rule.match == Match::exact) return "";
  switch (rule.match) {
    case Match::regex:
      return " -m reg";
    case Match::prefix:
      return " -m beg";
    case Match::suffix:
      return " -m end";
    case Match::substring:
      return " -m sub";
    case Match::exact:
      return " -m str";
  }
  return "";
}

// "--" ends the flags: a value may begin with a dash.
std::string acl_line(const Rule& rule) {
  std::string line = "    acl " + rule.id.text() + " " + fetch_words(rule);
  if (rule.fetch == Fetch::client_has_certificate) return line;
  return line + match_words(rule) + " -- " + as_word(meant(rule.value));
}

std::string condition(const Policy& policy) {
  std::string words = " if";
  for (const Rule& rule : policy.rules) words += (rule.invert ? " !" : " ") + rule.id.text();
  return words;
}

std::string action_line(const Policy& policy) {
  switch (policy.action) {
    case Action::deny:
      return "http-request deny" + condition(policy);
    case Action::redirect_location:
      return "redirect code " + std::to_string(policy.code) + " location " +
             as_word(policy.target) + condition(policy);
    case Action::redirect_prefix:
      return "redirect code " + std::to_string(policy.code) + " prefix " + as_word(policy.target) +
             condition(policy);
    case Action::use_backend:
      return "use_backend " + policy.backend.text() + condition(policy);
  }
  return "";
}

// HAProxy denies before it redirects, and redirects before it chooses a backend, whatever the order
// of the lines, which is Octavia's order of evaluation too. Lines in that order raise no warning.
void render_policies(const Frontend& frontend, Lines& out) {
  for (const Policy& policy : frontend.policies)
    for (const Rule& rule : policy.rules) out.add(acl_line(rule));
  const auto add = [&](auto&& chosen) {
    for (const Policy& policy : frontend.policies)
      if (chosen(policy.action)) out.add(action_line(policy));
  };
  add([](Action action) { return action == Action::deny; });
  // To the TLS port: only a connection without TLS, which a bind with it never has.
  if (frontend.tls && frontend.mode == Mode::http) out.add("redirect scheme https if !{ ssl_fc }");
  add([](Action action) {
    return action == Action::redirect_location || action == Action::redirect_prefix;
  });
  add([](Action action) { return action == Action::use_backend; });
}

std::string authentication_word(ClientAuthentication authentication) {
  switch (authentication) {
    case ClientAuthentication::none:
      return "none";
    case ClientAuthentication::optional:
      return "optional";
    case ClientAuthentication::mandatory:
      return "required";
  }
  return "";
}

std::string bind_words(const FrontendTls& tls) {
  std::string words = " ssl";
  for (const PemFile& file : tls.certificates) {
    words += " crt " + as_word(file.path);
    if (tls.list) break;
  }
  if (tls.list) words += " crt-list " + as_word(tls.list->path);
  if (tls.client_ca)
    words += " ca-file " + as_word(tls.client_ca->path) + " verify " +
             authentication_word(tls.authentication);
  if (tls.client_ca && tls.client_crl) words += " crl-file " + as_word(tls.client_crl->path);
  return words + tls_words(tls.options);
}

void render_notes(const FrontendTls& tls, Lines& out) {
  for (const PemFile& file : tls.certificates) out.add(fingerprint_note(file));
  if (tls.client_ca) out.add(fingerprint_note(*tls.client_ca));
  if (tls.client_crl) out.add(fingerprint_note(*tls.client_crl));
}

std::string hsts_line(const Hsts& hsts) {
  std::string value = "max-age=" + std::to_string(hsts.max_age) + ";";
  if (hsts.include_subdomains) value += " includeSubDomains;";
  if (hsts.preload) value += " preload;";
  return "http-response set-header Strict-Transport-Security " + as_word(value);
}

// The fields of Octavia's own; its blanks are part of the format.
std::string log_line(const Frontend& frontend) {
  const std::string request = frontend.mode == Mode::http ? "%{+Q}r %ST" : "- -";
  const std::string project = frontend.project.empty() ? "-" : literal(frontend.project);
  return "log-format " +
         as_word(project + " " + frontend.load_balancer.text() + " %f %ci %cp %t " + request +
                 " %B %U %[ssl_c_verify] %{+Q}[ssl_c_s_dn] %b %s %Tt %tsc");
}

}  // namespace

void render_frontend(const Frontend& frontend, const Surroundings& around, Lines& out) {
  out.section("frontend " + frontend.listener.text());
  if (frontend.tls) render_notes(*frontend.tls, out);
  out.add("maxconn " + std::to_string(frontend.max_connections.value_or(kUnlimited)));
  const std::string tls = frontend.tls ? bind_words(*frontend.tls) : "";
  for (const base::Endpoint& place : frontend.binds) out.add("bind " + place_word(place) + tls);
  out.add(frontend.mode == Mode::http ? "mode http" : "mode tcp");
  if (frontend.hsts && frontend.mode == Mode::http) out.add(hsts_line(*frontend.hsts));
  if (frontend.source == Source::metrics) {
    // One page, and nothing that a client sends reaches the agent but the request for it.
    out.add("http-request deny deny_status 404 if !{ path /metrics } or !{ method GET HEAD }");
    out.add("http-request set-query loadbalancer=" + frontend.load_balancer.text());
  }
  if (frontend.mode == Mode::http) render_policies(frontend, out);
  out.add("timeout client " + milliseconds(frontend.client_timeout));
  if (frontend.inspect_delay > 0)
    out.add("tcp-request inspect-delay " + milliseconds(frontend.inspect_delay));
  if (!around.log_socket.empty()) out.add(log_line(frontend));
  if (frontend.source == Source::metrics)
    out.add(std::string("default_backend ") + kMetricsBackend);
  else if (frontend.default_backend)
    out.add("default_backend " + frontend.default_backend->text());
}

}  // namespace haproxy
