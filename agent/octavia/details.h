// What GET info and GET details say of the machine (contract, 1.5 and 1.6).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/octavia/parts.h"

namespace octavia {

// "" is never among them: what is not installed is "0.0".
struct Versions {
  std::string haproxy = "0.0";  // begins with <int>.<int>
  std::string keepalived = "0.0", ipvsadm = "0.0";
};

// Asks HAProxy's binary and Debian's package database. Blocks; once, at the start.
Versions find_versions(const std::string& haproxy_cmd);
// "HAProxy version 2.6.12-1+deb12u4 2023/12/17 - ..." -> "2.6.12-1+deb12u4"; "": not such a text.
std::string version_of_haproxy(std::string_view output);

// Of the whole machine. Times in jiffies, memory in kB, disk in bytes.
struct Figures {
  uint64_t cpu_total = 0, cpu_user = 0, cpu_system = 0, cpu_soft_irq = 0;
  uint64_t memory_total = 0, memory_free = 0, buffers = 0, cached = 0, swap_used = 0, shared = 0,
           slab = 0;
  uint64_t disk_used = 0, disk_available = 0;
  int cpus = 1;
  std::vector<std::string> load;  // three

  friend bool operator==(const Figures&, const Figures&) = default;
};

// From /proc/stat, /proc/meminfo and /proc/loadavg; what a text does not say stays zero.
void read_stat(std::string_view text, Figures& into);
void read_meminfo(std::string_view text, Figures& into);
void read_loadavg(std::string_view text, Figures& into);
// Of this machine, now. Reads /proc only, which does not block.
Figures figures_now();

struct Identity {
  std::string hostname;
  Versions versions;
};

struct Details {
  Figures figures;
  std::vector<InterfaceTraffic> traffic;
  std::vector<ShownListener> listeners;
  int haproxy_count = 0;
};

// The bodies, as JSON text.
std::string info_json(const Identity& identity);
std::string details_json(const Identity& identity, const Details& details);
std::string listeners_json(const std::vector<ShownListener>& listeners);

}  // namespace octavia
