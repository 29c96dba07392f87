// Pins: the folder of pinned maps, programs and links, on a bpf file system.
//   <root>/v<ABI>/<map>         every map under its name; lb_info is pinned last
//   <root>/v<ABI>/lb_xdp        the program
//   <root>/v<ABI>/links/<name>  the link of an interface on XDP
//   <root>/v<ABI>/links/<index> tcx      that of one on tc ingress
//   <root>/v<ABI>/links/<index> clsact   where the kernel has no TCX: the program of its filter
// While flows are taken over from <root>/v<ABI>, also
//   <root>/v<ABI>/lb_xdp_tc     its program of tc ingress, if interfaces were on it
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace datapath {

// Whether `path`, or the nearest folder above it that is there, lies on a bpf file system.
bool is_on_bpffs(const std::string& path);
// Whether this process may see what is in the folder; there being none is no error.
base::Status can_read_pins(const std::string& root);

// Makes the folder `path` and those above it; mounts a bpf file system at /sys/fs/bpf if `path`
// lies there and none is.
base::Status make_pin_folder(const std::string& path);

// Only one agent works on a pin folder: the lock lasts as long as the descriptor. Waits a second
// for it: one that was killed may be about to let go. The error names the process that has it.
base::Result<base::Fd> lock_pin_folder(const std::string& root);

// In the folder of a version. What begins like the first one is taken for no map, by older agents
// too.
inline constexpr char kProgramPin[] = "/lb_xdp", kTcProgramPin[] = "/lb_xdp_tc";

std::string version_folder(const std::string& root, int abi);
// Interface names may have a dot, which names of pins must not; a colon is free.
std::string link_pin(const std::string& version_folder, const std::string& interface);
std::string interface_of_pin(const std::string& pin_name);

// Names in a folder, sorted; none if it does not exist.
std::vector<std::string> list_folder(const std::string& path);
// ABI versions that have a folder with anything in it; and all such folders, empty ones too.
std::vector<int> pinned_versions(const std::string& root);
std::vector<std::string> version_folders(const std::string& root);

base::Status pin(int fd, const std::string& path);
// A pin that is there already is replaced at once: there is always one.
base::Status pin_over(int fd, const std::string& path);
base::Result<base::Fd> open_pin(const std::string& path);
base::Status unpin(const std::string& path);
// Pins of a folder and the folder itself, with its subfolders. Not there: not an error.
base::Status remove_pins(const std::string& folder);

}  // namespace datapath
