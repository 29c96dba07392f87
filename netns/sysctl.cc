#include "netns/sysctl.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/fd.h"

namespace netns {

namespace {

using base::Error;
using base::Result;
using base::Unit;

const std::string kRoot = "/proc/sys/";

// "1025\t16383\n" and "1025 16383" are the same value.
std::string squeezed(const std::string& text) {
  std::string out;
  for (char c : text) {
    bool space = c == ' ' || c == '\t' || c == '\n';
    if (!space)
      out += c;
    else if (!out.empty() && out.back() != ' ')
      out += ' ';
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

Result<std::string> read_sysctl(const std::string& key) {
  base::Fd fd(::open((kRoot + key).c_str(), O_RDONLY | O_CLOEXEC));
  char buffer[256];
  ssize_t size = fd.valid() ? ::read(fd.get(), buffer, sizeof(buffer)) : -1;
  if (size < 0) return Error{errno, "read " + kRoot + key};
  return squeezed(std::string(buffer, static_cast<size_t>(size)));
}

}  // namespace

Sysctls wanted_sysctls(const LayoutSpec& want) {
  Sysctls out = {
      {"net/ipv4/ip_forward", "1"},
      {"net/ipv4/ip_local_port_range",
       std::to_string(want.local_port_min) + " " + std::to_string(want.local_port_max)},
      // HAProxy binds VIPs that are not here yet.
      {"net/ipv4/ip_nonlocal_bind", "1"},
      {"net/ipv6/ip_nonlocal_bind", "1"},
      // The second address of a subnet outlives the first.
      {"net/ipv4/conf/all/promote_secondaries", "1"},
  };
  out.merge(wanted_sysctls("all"));
  out.merge(wanted_sysctls("default"));
  return out;
}

Sysctls wanted_sysctls(const std::string& interface) {
  const std::string v4 = "net/ipv4/conf/" + interface + "/";
  return {
      // Packets that the datapath rewrote and leaves to the kernel have a source that is our own.
      {v4 + "accept_local", "1"},
      {v4 + "rp_filter", "0"},
      // They leave where they came in, and nobody is to be told of a shorter way.
      {v4 + "send_redirects", "0"},
      {"net/ipv6/conf/" + interface + "/forwarding", "1"},
  };
}

Sysctls advertisement_sysctls(const std::string& interface, RouterAdvertisements what) {
  if (what == RouterAdvertisements::ignored) return {{accept_ra_key(interface), "0"}};
  return {{accept_ra_key(interface), "2"}, {"net/ipv6/conf/" + interface + "/autoconf", "1"}};
}

std::string accept_ra_key(const std::string& interface) {
  return "net/ipv6/conf/" + interface + "/accept_ra";
}

Result<Sysctls> read_sysctls(const std::set<std::string>& keys) {
  Sysctls out;
  for (const std::string& key : keys) {
    Result<std::string> value = read_sysctl(key);
    if (value)
      out[key] = *std::move(value);
    else if (value.error().code != ENOENT)
      return std::move(value).error();
  }
  return out;
}

Result<Unit> write_sysctl(const std::string& key, const std::string& value) {
  const std::string what = "write " + value + " to " + kRoot + key;
  base::Fd fd(::open((kRoot + key).c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd.valid() || ::write(fd.get(), value.data(), value.size()) < 0) return Error{errno, what};
  Result<std::string> now = read_sysctl(key);
  if (!now) return std::move(now).error();
  if (*now != value) return Error{0, what + ": it still reads " + *now};
  return Unit{};
}

}  // namespace netns
