#include "netns/devices.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/fd.h"

namespace netns {

namespace {

using base::Error;
using base::Fd;
using base::Result;
using base::Status;
using base::Unit;

// An ethtool request: a header of the kernel's, and room behind it for what it answers.
class Request {
 public:
  template <class Header>
  Request(const Header& header, size_t room) : bytes_(sizeof(Header) + room) {
    std::memcpy(bytes_.data(), &header, sizeof(Header));
  }
  template <class Header>
  Header header() const {
    Header out;
    std::memcpy(&out, bytes_.data(), sizeof(Header));
    return out;
  }
  template <class Header, class Item>
  void put(size_t i, const Item& item) {
    std::memcpy(bytes_.data() + sizeof(Header) + i * sizeof(Item), &item, sizeof(Item));
  }
  // The `i`-th of what is behind a Header.
  template <class Header, class Item>
  Item item(size_t i) const {
    Item out;
    std::memcpy(&out, bytes_.data() + sizeof(Header) + i * sizeof(Item), sizeof(Item));
    return out;
  }
  void* data() { return bytes_.data(); }

 private:
  std::vector<char> bytes_;
};

class Asking {
 public:
  static Result<Asking> open(const std::string& interface) {
    Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!fd.valid()) return Error{errno, "open a socket"};
    return Asking(std::move(fd), interface);
  }
  Status ask(Request& request, const char* what) const {
    ifreq call{};
    std::strncpy(call.ifr_name, interface_.c_str(), IFNAMSIZ - 1);
    call.ifr_data = static_cast<char*>(request.data());
    if (::ioctl(fd_.get(), SIOCETHTOOL, &call) == 0) return Unit{};
    return Error{errno, std::string(what) + " of interface " + interface_};
  }

 private:
  Asking(Fd fd, std::string interface) : fd_(std::move(fd)), interface_(std::move(interface)) {}

  Fd fd_;
  std::string interface_;
};

Result<std::string> read_driver(const Asking& device) {
  ethtool_drvinfo header{};
  header.cmd = ETHTOOL_GDRVINFO;
  Request request(header, 0);
  if (auto asked = device.ask(request, "read the driver"); !asked) return asked.error();
  header = request.header<ethtool_drvinfo>();
  return std::string(header.driver, ::strnlen(header.driver, sizeof(header.driver)));
}

// How many features this kernel knows: the same for every interface.
Result<uint32_t> count_features(const Asking& device) {
  ethtool_sset_info header{};
  header.cmd = ETHTOOL_GSSET_INFO;
  header.sset_mask = uint64_t{1} << ETH_SS_FEATURES;
  Request request(header, sizeof(uint32_t));
  if (auto asked = device.ask(request, "read the offloads"); !asked) return asked.error();
  return request.item<ethtool_sset_info, uint32_t>(0);
}

// Of each feature that the kernel knows, by its number.
Result<std::vector<std::string>> read_names(const Asking& device) {
  const auto count = count_features(device);
  if (!count) return count.error();
  ethtool_gstrings header{};
  header.cmd = ETHTOOL_GSTRINGS;
  header.string_set = ETH_SS_FEATURES;
  header.len = *count;
  Request request(header, size_t{*count} * ETH_GSTRING_LEN);
  if (auto asked = device.ask(request, "read the names of offloads"); !asked) return asked.error();
  std::vector<std::string> names;
  for (uint32_t i = 0; i < *count; ++i) {
    struct Name {
      char text[ETH_GSTRING_LEN];
    };
    const auto name = request.item<ethtool_gstrings, Name>(i);
    names.emplace_back(name.text, ::strnlen(name.text, sizeof(name.text)));
  }
  return names;
}

// Features are asked for and changed so many at a time.
constexpr size_t kBlock = 32;

uint32_t blocks_of(const std::vector<std::string>& names) {
  return static_cast<uint32_t>((names.size() + kBlock - 1) / kBlock);
}

uint32_t bit_of(size_t i) { return uint32_t{1} << i % kBlock; }

Result<std::map<std::string, Offload>> read_features(const Asking& device) {
  const auto names = read_names(device);
  if (!names) return names.error();
  ethtool_gfeatures header{};
  header.cmd = ETHTOOL_GFEATURES;
  header.size = blocks_of(*names);
  Request request(header, header.size * sizeof(ethtool_get_features_block));
  if (auto asked = device.ask(request, "read the offloads"); !asked) return asked.error();
  std::map<std::string, Offload> out;
  for (size_t i = 0; i < names->size(); ++i) {
    const auto block = request.item<ethtool_gfeatures, ethtool_get_features_block>(i / kBlock);
    out[(*names)[i]] = {
        (block.active & bit_of(i)) != 0,
        (block.available & bit_of(i)) == 0 || (block.never_changed & bit_of(i)) != 0};
  }
  return out;
}

// nullopt: the driver has none to be counted.
std::optional<Queues> read_queues(const Asking& device) {
  ethtool_channels header{};
  header.cmd = ETHTOOL_GCHANNELS;
  Request request(header, 0);
  if (!device.ask(request, "read the queues")) return std::nullopt;
  header = request.header<ethtool_channels>();
  if (header.max_combined == 0) return std::nullopt;
  return Queues{header.combined_count, header.max_combined};
}

}  // namespace

Result<Device> read_device(const std::string& interface) {
  auto device = Asking::open(interface);
  if (!device) return device.error();
  auto driver = read_driver(*device);
  if (!driver) return driver.error();
  auto features = read_features(*device);
  if (!features) return features.error();
  return Device{std::move(*driver), std::move(*features), read_queues(*device)};
}

Status switch_off(const std::string& interface, const std::string& feature) {
  auto device = Asking::open(interface);
  if (!device) return device.error();
  const auto names = read_names(*device);
  if (!names) return names.error();
  const auto number = static_cast<size_t>(std::ranges::find(*names, feature) - names->begin());
  if (number == names->size()) return Error{EINVAL, "switch off " + feature};
  ethtool_sfeatures header{};
  header.cmd = ETHTOOL_SFEATURES;
  header.size = blocks_of(*names);
  Request request(header, header.size * sizeof(ethtool_set_features_block));
  ethtool_set_features_block block{};
  block.valid = bit_of(number);
  request.put<ethtool_sfeatures>(number / kBlock, block);
  return device->ask(request, ("switch off " + feature).c_str());
}

}  // namespace netns
