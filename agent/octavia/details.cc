#include "agent/octavia/details.h"

#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/file.h"

namespace octavia {
namespace {

using nlohmann::json;

constexpr std::string_view kApiVersion = "1.0";

std::string_view cut_line(std::string_view& text) {
  const size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  return line;
}

std::vector<std::string> words(std::string_view line) {
  std::vector<std::string> out;
  for (;;) {
    const size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return out;
    const size_t end = std::min(line.find_first_of(" \t", begin), line.size());
    out.emplace_back(line.substr(begin, end - begin));
    line.remove_prefix(end);
  }
}

uint64_t number(const std::string& text) {
  uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

json identity_json(const Identity& identity) {
  return {{"hostname", identity.hostname},
          {"haproxy_version", identity.versions.haproxy},
          {"api_version", kApiVersion},
          {"keepalived_version", identity.versions.keepalived},
          {"ipvsadm_version", identity.versions.ipvsadm}};
}

std::string text(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

json networks_json(const std::vector<InterfaceTraffic>& all) {
  json out = json::object();
  for (const InterfaceTraffic& one : all)
    if (one.interface.starts_with("eth"))
      out[one.interface] = {{"network_tx", one.transmitted}, {"network_rx", one.received}};
  return out;
}

}  // namespace

void read_stat(std::string_view text, Figures& into) {
  enum Column { user = 1, system = 3, soft_irq = 7, guest = 9 };  // after "cpu"
  const auto fields = words(cut_line(text));
  if (fields.size() <= soft_irq || fields[0] != "cpu") return;
  into.cpu_user = number(fields[user]);
  into.cpu_system = number(fields[system]);
  into.cpu_soft_irq = number(fields[soft_irq]);
  into.cpu_total = 0;
  // What guests have had is among user time already.
  for (size_t i = 1; i < std::min<size_t>(fields.size(), guest); ++i)
    into.cpu_total += number(fields[i]);
}

void read_meminfo(std::string_view text, Figures& into) {
  uint64_t swap_total = 0, swap_free = 0;
  while (!text.empty()) {
    const auto fields = words(cut_line(text));
    if (fields.size() < 2) continue;
    const auto take = [&fields](std::string_view name, uint64_t& to) {
      if (fields[0] == name) to = number(fields[1]);
    };
    take("MemTotal:", into.memory_total);
    take("MemFree:", into.memory_free);
    take("Buffers:", into.buffers);
    take("Cached:", into.cached);
    take("Shmem:", into.shared);
    take("Slab:", into.slab);
    take("SwapTotal:", swap_total);
    take("SwapFree:", swap_free);
  }
  into.swap_used = swap_total > swap_free ? swap_total - swap_free : 0;
}

void read_loadavg(std::string_view text, Figures& into) {
  into.load = words(cut_line(text));
  into.load.resize(3, "0.00");
}

Figures figures_now() {
  Figures out;
  const auto proc = [](const char* file) {
    auto content = base::read_file(std::string("/proc/") + file);
    return content ? std::move(*content) : std::string();
  };
  read_stat(proc("stat"), out);
  read_meminfo(proc("meminfo"), out);
  read_loadavg(proc("loadavg"), out);
  struct statvfs disk {};
  if (::statvfs("/", &disk) == 0) {
    out.disk_used = static_cast<uint64_t>(disk.f_blocks - disk.f_bfree) * disk.f_frsize;
    out.disk_available = static_cast<uint64_t>(disk.f_bavail) * disk.f_frsize;
  }
  out.cpus = static_cast<int>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
  return out;
}

std::string info_json(const Identity& identity) { return text(identity_json(identity)); }

std::string details_json(const Identity& identity, const Details& details) {
  const Figures& now = details.figures;
  json names = json::array();
  int lvs = 0;
  for (const ShownListener& listener : details.listeners) {
    names.push_back(listener.id);
    if (listener.server == ShownListener::Server::lvs && listener.active) ++lvs;
  }
  json out = identity_json(identity);
  out.update({
      {"networks", networks_json(details.traffic)},
      {"active", true},
      {"haproxy_count", details.haproxy_count},
      {"lvs_listener_process_count", lvs},
      {"cpu_count", now.cpus},
      // The kernel forwards on every CPU: HAProxy must not be pinned to all but one of them.
      {"active_tuned_profiles", ""},
      {"cpu",
       {{"total", now.cpu_total},
        {"user", std::to_string(now.cpu_user)},
        {"system", std::to_string(now.cpu_system)},
        {"soft_irq", std::to_string(now.cpu_soft_irq)}}},
      {"memory",
       {{"total", now.memory_total},
        {"free", now.memory_free},
        {"buffers", now.buffers},
        {"cached", now.cached},
        {"swap_used", now.swap_used},
        {"shared", now.shared},
        {"slab", now.slab}}},
      {"disk", {{"used", now.disk_used}, {"available", now.disk_available}}},
      {"load", now.load},
      {"topology", "SINGLE"},
      {"topology_status", "OK"},
      {"listeners", std::move(names)},
      {"packages", json::object()},
  });
  return text(out);
}

std::string listeners_json(const std::vector<ShownListener>& listeners) {
  json out = json::array();
  for (const ShownListener& listener : listeners)
    out.push_back({{"status", listener.active ? "ACTIVE" : "OFFLINE"},
                   {"uuid", listener.id},
                   {"type", listener.type}});
  return text(out);
}

}  // namespace octavia
