#include "tests/unit/octavia/written.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <vector>

#include "agent/model/words.h"

namespace octavia_test {

namespace {

base::Uuid numbered(int kind, int number) {
  char text[37];
  std::snprintf(text, sizeof(text), "%08d-0000-4000-8000-%012d", kind * 11111111, number);
  return uuid(text);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

void write_load_balancer(const model::LoadBalancer& lb, std::ostream& out) {
  out << "load balancer " << lb.id.text() << (lb.admin_state_up ? "" : " disabled") << "\n";
  if (!lb.project_id.empty()) out << "  project " << lb.project_id << "\n";
  out << "  VIPs " << lb.vip_address.text();
  for (const model::AdditionalVip& vip : lb.additional_vips) out << " " << vip.ip_address.text();
  out << "\n";
}

void write_listener(const model::Model& model, const model::Listener& listener, std::ostream& out) {
  const auto& left = model.amphora->left_to_haproxy;
  out << "listener " << listener.id.text() << " " << model::word(listener.protocol) << " port "
      << listener.protocol_port << (listener.admin_state_up ? "" : " disabled") << "\n";
  const auto reason = left.find(listener.id);
  out << "  by " << (reason == left.end() ? "XDP" : "HAProxy: " + reason->second) << "\n";
  out << "  limit " << listener.connection_limit << ", timeouts client "
      << listener.timeout_client_data << " connect " << listener.timeout_member_connect
      << " member " << listener.timeout_member_data << " inspect " << listener.timeout_tcp_inspect
      << "\n";
  if (listener.default_pool) out << "  pool " << listener.default_pool->text() << "\n";
}

void write_monitor(const model::HealthMonitor& monitor, std::ostream& out) {
  out << "  monitor " << monitor.id.text() << " " << model::word(monitor.type) << " every "
      << monitor.delay << " s, timeout " << monitor.timeout << " s, rise " << monitor.max_retries
      << ", fall " << monitor.max_retries_down;
  if (!monitor.http_method.empty())
    out << ", " << monitor.http_method << " " << monitor.url_path << " -> "
        << monitor.expected_codes;
  if (monitor.http_version)
    out << ", HTTP/" << (*monitor.http_version == model::HttpVersion::v1_1 ? "1.1" : "1.0");
  if (!monitor.domain_name.empty()) out << ", Host " << monitor.domain_name;
  out << "\n";
}

void write_member(const model::Member& member, std::ostream& out) {
  out << "  member " << member.id.text() << " "
      << base::Endpoint{member.address, member.protocol_port}.text() << " weight " << member.weight
      << (member.backup ? " backup" : "") << (member.admin_state_up ? "" : " disabled");
  if (member.monitor_address) out << " monitored at " << member.monitor_address->text();
  if (member.monitor_port) out << " monitored on port " << *member.monitor_port;
  out << "\n";
}

void write_pool(const model::Model& model, const model::Pool& pool, std::ostream& out) {
  out << "pool " << pool.id.text() << " " << model::word(pool.protocol) << " "
      << model::word(pool.algorithm) << (pool.admin_state_up ? "" : " disabled")
      << (pool.tls_enabled ? " encrypted" : "") << "\n";
  if (const auto& persistence = pool.session_persistence) {
    out << "  persistence " << model::word(persistence->type);
    if (!persistence->cookie_name.empty()) out << " " << persistence->cookie_name;
    if (persistence->persistence_timeout)
      out << " for " << *persistence->persistence_timeout << " s by "
          << persistence->persistence_granularity;
    out << "\n";
  }
  for (const auto& [id, monitor] : model.health_monitors)
    if (monitor.pool == pool.id) write_monitor(monitor, out);
  for (const auto& [id, member] : model.members)
    if (member.pool == pool.id) write_member(member, out);
}

// What is left out of the upload, line by line; what is left must be the upload's in its order.
void write_remainder(const std::string& upload, const std::string& rest, std::ostream& out) {
  if (upload.empty()) return;
  out << "haproxy.cfg: ";
  if (rest == upload) out << "as uploaded\n";
  if (rest.empty()) out << "nothing\n";
  if (rest == upload || rest.empty()) return;
  out << "without\n";
  const std::vector<std::string> kept = lines_of(rest);
  size_t next = 0;
  for (const std::string& line : lines_of(upload))
    if (next < kept.size() && line == kept[next])
      next++;
    else
      out << "  |" << line.substr(0, 72) << "\n";
  if (next != kept.size()) out << "  and something in it is not the upload's\n";
}

}  // namespace

base::Uuid uuid(const std::string& text) {
  const auto id = base::Uuid::parse(text);
  if (!id) std::abort();
  return *id;
}

base::Uuid listener_id(int number) { return numbered(1, number); }
base::Uuid pool_id(int number) { return numbered(2, number); }
base::Uuid member_id(int number) { return numbered(3, number); }

std::string sample(const std::string& name) {
  std::ifstream file(std::string(OCTAVIA_SAMPLES) + "/" + name);
  EXPECT_TRUE(file.good()) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

octavia::Uploads haproxy_upload(const std::string& text) {
  octavia::Uploads uploads;
  uploads.haproxy[uuid(kLoadBalancer)] = text;
  return uploads;
}

octavia::Uploads lvs_upload(const std::string& text, int listener) {
  octavia::Uploads uploads;
  uploads.lvs[listener_id(listener)] = text;
  return uploads;
}

base::Result<model::Model> translated(const octavia::Uploads& uploads) {
  return octavia::translate(uploads, uuid(kAmphora));
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  const size_t at = text.find(what);
  EXPECT_NE(at, text.npos) << what;
  return at == text.npos ? text : text.replace(at, what.size(), with);
}

std::string written(const model::Model& model, const std::string& upload) {
  std::ostringstream out;
  for (const auto& [id, lb] : model.load_balancers) write_load_balancer(lb, out);
  for (const auto& [id, listener] : model.listeners) write_listener(model, listener, out);
  for (const auto& [id, pool] : model.pools) write_pool(model, pool, out);
  if (!model.amphora->peer_name.empty()) out << "peer " << model.amphora->peer_name << "\n";
  write_remainder(upload, model.amphora->haproxy_text, out);
  return out.str();
}

}  // namespace octavia_test
