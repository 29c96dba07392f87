// What takes everything off again: needs no maps, and runs while no agent does.
#include <unistd.h>

#include <cerrno>

#include "agent/datapath/datapath.h"
#include "agent/datapath/links.h"
#include "agent/datapath/pins.h"

namespace datapath {

using base::Error;
using base::Status;
using base::Unit;

Status Datapath::teardown(const std::string& pin_root) {
  if (list_folder(pin_root).empty() && access(pin_root.c_str(), F_OK) != 0) return Unit{};
  auto lock = lock_pin_folder(pin_root);
  if (!lock) return lock.error();
  for (const std::string& version : version_folders(pin_root)) {
    Links links(version);
    for (const std::string& interface : links.interfaces()) {
      if (auto removed = links.remove(interface); !removed) return removed.error();
    }
    for (const uint32_t ifindex : links.ingress().interfaces())
      if (auto removed = links.ingress().remove(ifindex); !removed) return removed.error();
    if (auto removed = remove_pins(version); !removed) return removed.error();
  }
  // What is not ours stays, and the folder with it.
  if (rmdir(pin_root.c_str()) != 0 && errno != ENOTEMPTY) return Error{errno, "remove " + pin_root};
  return Unit{};
}

}  // namespace datapath
