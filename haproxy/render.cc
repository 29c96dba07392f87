#include "haproxy/render.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <string_view>
#include <utility>

#include "haproxy/quote.h"
#include "haproxy/render_parts.h"

namespace haproxy {

namespace {

std::string number(uint64_t value) { return std::to_string(value); }

bool answers_metrics(const Spec& spec) {
  return std::any_of(spec.frontends.begin(), spec.frontends.end(),
                     [](const auto& entry) { return entry.second.source == Source::metrics; });
}

void render_global(const Spec& spec, const Surroundings& around, Lines& out) {
  out.section("global");
  // A worker that dies takes no old worker along: their connections go on.
  out.add("master-worker no-exit-on-failure");
  out.add("stats socket " + as_word(around.stats_socket) +
          " mode 600 level admin expose-fd listeners");
  out.add("stats timeout 1d");
  out.add("stats maxconn 32");
  out.add("server-state-file " + as_word(around.server_state_file));
  // Threads cost memory, and most load balancers are idle.
  out.add("nbthread " + number(around.threads));
  out.add("maxconn " + number(max_connections(spec, around.descriptors)));
  if (!around.user.empty()) out.add("user " + as_word(around.user));
  if (!around.group.empty()) out.add("group " + as_word(around.group));
  if (!around.log_socket.empty()) out.add("log " + as_word(around.log_socket) + " local0");
  out.add("tune.ssl.default-dh-param 2048");
}

void render_defaults(const Surroundings& around, Lines& out) {
  out.section("defaults");
  if (!around.log_socket.empty()) out.add("log global");
  out.add("retries 3");
  out.add("option redispatch");
  out.add("option splice-request");
  out.add("option splice-response");
  out.add("option http-keep-alive");
}

void render_metrics(const Spec& spec, Lines& out) {
  out.section(std::string("backend ") + kMetricsBackend);
  out.add("mode http");
  out.add("timeout connect 5000");
  out.add("timeout server 5000");
  out.add("server agent " + as_word("unix@" + spec.metrics_socket));
}

}  // namespace

// A proxied connection takes two descriptors, and half of another two for the pipes that splicing
// moves its bytes through. A server may be checked over one, a bind is one; workers that have not
// ended yet count by themselves.
uint64_t max_connections(const Spec& spec, uint64_t descriptors) {
  uint64_t wanted = 0, places = 128;
  for (const auto& [listener, frontend] : spec.frontends) {
    wanted += static_cast<uint64_t>(frontend.max_connections.value_or(kUnlimited));
    places += frontend.binds.size();
  }
  for (const auto& [id, backend] : spec.backends) places += backend.servers.size();
  const uint64_t left = descriptors > places ? descriptors - places : 0;
  return std::clamp<uint64_t>(std::min(wanted, left * 2 / 5), 1, 1000000);
}

std::string render(const Spec& spec, const Surroundings& around) {
  Lines out;
  render_global(spec, around, out);
  render_defaults(around, out);
  for (const auto& [listener, frontend] : spec.frontends) render_frontend(frontend, around, out);
  for (const auto& [id, backend] : spec.backends) render_backend(backend, out);
  if (answers_metrics(spec)) render_metrics(spec, out);
  // A text that is another one is loaded by another worker.
  const std::string anew =
      spec.renewals > 0 ? "# Made anew: " + std::to_string(spec.renewals) + "\n" : "";
  return "# Written by amphora-xdp-agent; changes are lost.\n" + anew + std::move(out).take();
}

std::string milliseconds(int64_t timeout) {
  return std::to_string(std::clamp<int64_t>(timeout, 1, std::numeric_limits<int32_t>::max()));
}

std::string place_word(const base::Endpoint& place) { return place.text(); }

// Only hexadecimal digits and colons are ever in a fingerprint; whatever else was there would not
// be allowed to end the line.
std::string fingerprint_note(const PemFile& file) {
  std::string note;
  for (const char c : file.fingerprint) note += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
  return "# " + note;
}

namespace {

void add_names(std::string_view list, std::string& ciphers, std::string& suites) {
  while (!list.empty()) {
    const size_t end = std::min(list.find_first_of(":, "), list.size());
    const std::string_view name = list.substr(0, end);
    std::string& into = name.starts_with("TLS_") ? suites : ciphers;
    if (!name.empty()) into += (into.empty() ? "" : ":") + std::string(name);
    list.remove_prefix(std::min(end + 1, list.size()));
  }
}

struct Version {
  const char *octavia, *haproxy;
};
constexpr Version kVersions[] = {{"SSLv3", "SSLv3"},
                                 {"TLSv1", "TLSv1.0"},
                                 {"TLSv1.1", "TLSv1.1"},
                                 {"TLSv1.2", "TLSv1.2"},
                                 {"TLSv1.3", "TLSv1.3"}};
constexpr size_t kTls12 = 3, kTls13 = 4;

struct VersionRange {
  size_t lowest = kTls12, highest = kTls13;  // in kVersions
};

// HAProxy knows no gaps: below one, nothing is served.
VersionRange range_of(const std::vector<std::string>& versions) {
  const auto has = [&versions](size_t i) {
    return std::ranges::find(versions, kVersions[i].octavia) != versions.end();
  };
  for (size_t highest = std::size(kVersions); highest-- > 0;) {
    if (!has(highest)) continue;
    size_t lowest = highest;
    while (lowest > 0 && has(lowest - 1)) lowest--;
    return {lowest, highest};
  }
  return {};
}

std::string version_words(const VersionRange& range) {
  return std::string(" ssl-min-ver ") + kVersions[range.lowest].haproxy + " ssl-max-ver " +
         kVersions[range.highest].haproxy;
}

}  // namespace

std::string tls_words(const TlsOptions& options) {
  std::string ciphers, suites, words;
  add_names(options.ciphers, ciphers, suites);
  const VersionRange range = range_of(options.versions);
  // OpenSSL has the older ones at no other level: their signatures are of SHA-1.
  if (range.lowest < kTls12) ciphers += ciphers.empty() ? "DEFAULT:@SECLEVEL=0" : ":@SECLEVEL=0";
  if (!ciphers.empty()) words += " ciphers " + as_word(ciphers);
  if (!suites.empty()) words += " ciphersuites " + as_word(suites);
  words += version_words(range);
  std::string protocols;
  for (const std::string& protocol : options.alpn)
    protocols += (protocols.empty() ? "" : ",") + protocol;
  if (!protocols.empty()) words += " alpn " + as_word(protocols);
  return words;
}

}  // namespace haproxy
