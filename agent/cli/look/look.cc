#include "agent/cli/look/look.h"

#include <unistd.h>

#include <cerrno>
#include <thread>

#include "agent/cli/look/parts.h"
#include "base/socket_address.h"

namespace look {

doctor::Facts look_around(const Options& options) {
  const Read read = read_configuration(options);
  doctor::Facts facts;
  facts.now = std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
  if (const long cpus = ::sysconf(_SC_NPROCESSORS_ONLN); cpus > 0)
    facts.cpus = static_cast<unsigned>(cpus);
  facts.configuration = read.configuration;
  facts.kernel = look_at_kernel(read.config.pin_root);
  facts.flows = look_at_flows(read.config.pin_root);
  facts.space = look_at_space(read);
  facts.programs = look_at_programs(read);
  facts.is_clock_synchronised = is_clock_synchronised();
  facts.disk = look_at_disk(read.config.state_dir);
  facts.certificates = look_at_certificates(read);
  if (read.conf) facts.controllers = look_at_controllers(read.conf->controllers);
  return facts;
}

base::Status can_ask(const std::string& socket) {
  auto found = base::find_listener(socket);
  if (found) return found;
  const int code = found.error().code;
  if (code == ENOENT || code == ECONNREFUSED) return base::Error{0, "nobody answers on " + socket};
  return base::Error{code, "ask the agent on " + socket};
}

}  // namespace look
