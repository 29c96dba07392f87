#include "netns/dhcp.h"

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <system_error>

#include "base/file.h"
#include "process/child.h"

namespace netns {

namespace {

using base::Error;
using base::Result;
using base::Status;
using base::Unit;
using process::Process;
namespace fs = std::filesystem;

constexpr char kProgram[] = "/sbin/dhclient";
// A server that comes late is asked within seconds.
constexpr char kConfiguration[] =
    "request subnet-mask, broadcast-address;\ninitial-delay 0;\nretry 10;\n";
constexpr char kEnding[] = ".pid";
constexpr std::chrono::seconds kGrace{2};

}  // namespace

std::set<std::string> dhcp_interfaces(const LayoutSpec& want, const Observed& observed) {
  std::set<std::string> there, out;
  for (const auto& [ifindex, link] : observed.links) there.insert(link.name);
  for (const InterfaceSpec& spec : want.interfaces)
    if (spec.dhcp && there.contains(spec.name)) out.insert(spec.name);
  return out;
}

std::string DhcpClients::pid_file(const std::string& interface) const {
  return folders_.run + "/dhclient-" + space_.name() + "-" + interface + kEnding;
}

// Those that have a pid file, whoever wrote it.
std::set<std::string> DhcpClients::known() const {
  std::set<std::string> out;
  const std::string start = fs::path(pid_file("")).stem().string();
  std::error_code failure;  // no folder: nobody
  for (const auto& entry : fs::directory_iterator(folders_.run, failure)) {
    const std::string name = entry.path().stem().string();
    if (entry.path().extension() == kEnding && name.starts_with(start))
      out.insert(name.substr(start.size()));
  }
  return out;
}

bool DhcpClients::runs(const std::string& interface) {
  auto client = clients_.find(interface);
  if (client != clients_.end() && !client->second.has_ended()) return true;
  if (client != clients_.end()) clients_.erase(client);
  auto found = Process::find(pid_file(interface), pid_file(interface));
  if (!found) return false;
  clients_.emplace(interface, *std::move(found));
  return true;
}

Status DhcpClients::start(const std::string& interface) {
  std::error_code failure;
  fs::create_directories(folders_.leases, failure);
  if (failure) return Error{failure.value(), "make " + folders_.leases};
  const std::string common = folders_.leases + "/dhclient-" + space_.name();
  const std::string configuration = common + ".conf";
  if (auto written = base::write_file(configuration, kConfiguration, 0644); !written)
    return written;
  const process::Command command{
      .words = {kProgram, "-4", "-d", "-q", "-cf", configuration, "-pf", pid_file(interface), "-lf",
                common + "-" + interface + ".leases", interface},
      .log = "/dev/null"};  // it talks to syslog
  auto client = run_in(space_.fd(), [&]() -> Result<Process> { return process::start(command); });
  if (!client) return Error{client.error().code, "start a DHCP client for " + interface};
  clients_.emplace(interface, *std::move(client));
  return Unit{};
}

void DhcpClients::end(const std::string& interface) {
  if (runs(interface)) clients_.at(interface).end(kGrace);
  clients_.erase(interface);
  ::unlink(pid_file(interface).c_str());
}

Status DhcpClients::run_for(const std::set<std::string>& interfaces) {
  std::set<std::string> others = known();
  for (const auto& [interface, client] : clients_) others.insert(interface);
  for (const std::string& interface : others)
    if (!interfaces.contains(interface)) end(interface);
  Status outcome = Unit{};
  for (const std::string& interface : interfaces) {
    if (runs(interface)) continue;
    if (auto started = start(interface); !started && outcome) outcome = started.error();
  }
  return outcome;
}

}  // namespace netns
