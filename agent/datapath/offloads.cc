#include "agent/datapath/offloads.h"

namespace datapath {
namespace {

constexpr char kVirtio[] = "virtio_net";
constexpr char kChecksum[] = "rx-checksum";

// Whose other end is a machine's own stack, which leaves checksums to it. (veth's, too; but there
// it is the peer's choice, and only its packets tell.)
bool hands_on_without_checksums(const std::string& driver) {
  return driver == kVirtio || driver == "vif";  // Xen's
}

std::string list(const std::set<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::string what_helps(const std::string& driver) {
  if (driver == kVirtio)
    return "on the host, have its device offer ctrl_guest_offloads, so that native mode can switch "
           "them off, or give it csum=off, guest_csum=off, guest_tso4=off and guest_tso6=off "
           "(libvirt: <driver><guest csum='off' tso4='off' tso6='off' ecn='off' ufo='off'/>)";
  return "on the host, switch off what it gives this interface";
}

}  // namespace

std::set<std::string> unbearable(const netns::Device& device) {
  std::set<std::string> out;
  for (const char* joins : {"rx-lro", "rx-gro-hw"})
    if (device.is_on(joins)) out.insert(joins);
  if (hands_on_without_checksums(device.driver) && device.is_on(kChecksum)) out.insert(kChecksum);
  return out;
}

std::string why_not_forwarded(const std::string& interface, const std::string& driver,
                              const std::set<std::string>& unbearable, const std::string& generic) {
  if (unbearable.empty()) return "";
  return "interface " + interface + " runs XDP in generic mode (" + generic +
         ") with offloads that cannot be switched off (" + list(unbearable) +
         "), and what XDP forwards would be broken; " + what_helps(driver);
}

std::string why_locked(const std::string& interface, const netns::Device& device, uint32_t cpus) {
  if (device.driver != kVirtio || !device.queues) return "";
  const netns::Queues& queues = *device.queues;
  // With room it has one more for each CPU by now.
  if (queues.now > cpus || queues.now + cpus <= queues.most) return "";
  return "CPUs wait for each other when XDP sends by interface " + interface +
         ": it has no queue of its own for each of them (" + std::to_string(queues.most) +
         " at most, " + std::to_string(queues.now) + " in use, " + std::to_string(cpus) +
         " CPUs). Fewer are enough (`ethtool -L " + interface + " combined N`), or on the host " +
         std::to_string(queues.now + cpus) + " queues (libvirt: <driver queues='N'/>)";
}

}  // namespace datapath
