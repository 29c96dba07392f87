#include "health/heartbeat.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <zlib.h>

#include <array>
#include <nlohmann/json.hpp>

namespace health {
namespace {

using base::Error;
using base::Result;
using nlohmann::json;

Result<std::string> compressed(std::string_view text) {
  uLongf size = ::compressBound(static_cast<uLong>(text.size()));
  std::string out(size, '\0');
  const int status = ::compress2(reinterpret_cast<Bytef*>(out.data()), &size,
                                 reinterpret_cast<const Bytef*>(text.data()),
                                 static_cast<uLong>(text.size()), Z_BEST_COMPRESSION);
  if (status != Z_OK) return Error{0, std::string("compress a heartbeat: ") + ::zError(status)};
  out.resize(size);
  return out;
}

Result<std::string> hmac_hex(std::string_view key, std::string_view bytes) {
  std::array<unsigned char, 32> digest{};
  unsigned size = 0;
  const unsigned char* made = ::HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()),
                                     bytes.size(), digest.data(), &size);
  if (made == nullptr) return Error{0, "HMAC of a heartbeat"};
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string hex;
  for (const unsigned char byte : digest) {
    hex.push_back(kHex[byte >> 4]);
    hex.push_back(kHex[byte & 15]);
  }
  return hex;
}

uint64_t delta(uint64_t before, uint64_t now) { return now >= before ? now - before : now; }

// The names that the agent of Octavia gives them.
json to_json(const Counters& counters) {
  return {{"bin", counters.bytes_in},
          {"bout", counters.bytes_out},
          {"ereq", counters.request_errors},
          {"stot", counters.connections}};
}

Counters counters_of(const json& object) {
  const auto number = [&object](const char* name) {
    const auto found = object.find(name);
    const bool good = found != object.end() && found->is_number_unsigned();
    return good ? found->get<uint64_t>() : uint64_t{0};
  };
  return {number("bin"), number("bout"), number("ereq"), number("stot")};
}

}  // namespace

std::string to_json(const Heartbeat& heartbeat) {
  json listeners = json::object(), pools = json::object();
  for (const auto& [id, listener] : heartbeat.listeners)
    listeners[id.text()] = {{"status", listener.status},
                            {"stats",
                             {{"tx", listener.stats.tx},
                              {"rx", listener.stats.rx},
                              {"conns", listener.stats.conns},
                              {"totconns", listener.stats.totconns},
                              {"ereq", listener.stats.ereq}}}};
  for (const auto& [key, pool] : heartbeat.pools) {
    json members = json::object();
    for (const auto& [id, status] : pool.members) members[id.text()] = status;
    pools[key] = {{"status", pool.status}, {"members", std::move(members)}};
  }
  return json{{"id", heartbeat.amphora},
              {"seq", heartbeat.seq},
              {"listeners", std::move(listeners)},
              {"pools", std::move(pools)},
              {"ver", 3}}
      .dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<std::string> datagram(std::string_view json_text, std::string_view key) {
  auto body = compressed(json_text);
  if (!body) return body.error();
  auto hex = hmac_hex(key, *body);
  if (!hex) return hex.error();
  if (body->size() + hex->size() > kMaxDatagram)
    return Error{0, "a heartbeat of " + std::to_string(body->size() + hex->size()) +
                        " bytes, which no datagram carries"};
  return *body + *hex;
}

Result<Told> Told::parse(std::string_view text) {
  Told out;
  if (text.empty()) return out;
  const json document = json::parse(text, nullptr, false);
  if (!document.is_object()) return Error{0, "not a JSON object"};
  for (const auto& [name, value] : document.items()) {
    const auto id = base::Uuid::parse(name);
    if (id && value.is_object()) out.told_[*id] = counters_of(value);
  }
  return out;
}

std::string Told::text() const {
  json out = json::object();
  for (const auto& [id, counters] : told_) out[id.text()] = to_json(counters);
  return out.dump();
}

std::map<base::Uuid, Counters> Told::advance(const std::map<base::Uuid, Counters>& now,
                                             const std::set<base::Uuid>& waiting) {
  std::map<base::Uuid, Counters> news;
  for (const auto& [id, counters] : now) {
    const auto found = told_.find(id);
    const Counters before = found == told_.end() ? Counters{} : found->second;
    news[id] = {delta(before.bytes_in, counters.bytes_in),
                delta(before.bytes_out, counters.bytes_out),
                delta(before.request_errors, counters.request_errors),
                delta(before.connections, counters.connections)};
  }
  std::map<base::Uuid, Counters> kept = now;
  for (const base::Uuid& id : waiting)
    if (const auto found = told_.find(id); found != told_.end()) kept.insert(*found);
  told_ = std::move(kept);
  return news;
}

}  // namespace health
