#include "agent/datapath/ethtool.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "base/fd.h"

namespace datapath {
namespace {

using base::Error;
using base::Status;
using base::Unit;

// Structures of ethtool's have their elements behind them: `bytes` holds both.
template <class Head>
struct Request {
  explicit Request(uint32_t command, size_t behind = 0) : bytes(sizeof(Head) + behind) {
    std::memcpy(bytes.data(), &command, sizeof(command));
  }
  Head* head() { return reinterpret_cast<Head*>(bytes.data()); }

  std::vector<uint8_t> bytes;
};

template <class Head>
bool ask(const std::string& interface, Request<Head>& request) {
  const base::Fd socket_fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq what{};
  std::strncpy(what.ifr_name, interface.c_str(), IFNAMSIZ - 1);
  what.ifr_data = reinterpret_cast<char*>(request.bytes.data());
  return ioctl(socket_fd.get(), SIOCETHTOOL, &what) == 0;
}

// Every feature that the kernel knows, by its number.
std::vector<std::string> feature_names(const std::string& interface) {
  Request<ethtool_sset_info> count(ETHTOOL_GSSET_INFO, sizeof(uint32_t));
  count.head()->sset_mask = uint64_t{1} << ETH_SS_FEATURES;
  if (!ask(interface, count) || count.head()->sset_mask == 0) return {};
  uint32_t size = 0;
  std::memcpy(&size, count.bytes.data() + sizeof(ethtool_sset_info), sizeof(size));
  Request<ethtool_gstrings> strings(ETHTOOL_GSTRINGS, size_t{size} * ETH_GSTRING_LEN);
  strings.head()->string_set = ETH_SS_FEATURES;
  strings.head()->len = size;
  if (!ask(interface, strings)) return {};
  std::vector<std::string> names;
  const auto* text = reinterpret_cast<const char*>(strings.bytes.data()) + sizeof(ethtool_gstrings);
  for (uint32_t i = 0; i < size; i++, text += ETH_GSTRING_LEN)
    names.emplace_back(text, strnlen(text, ETH_GSTRING_LEN));
  return names;
}

constexpr uint32_t kWord = 32;  // features to a block

}  // namespace

std::string driver_of(const std::string& interface) {
  Request<ethtool_drvinfo> driver(ETHTOOL_GDRVINFO);
  return ask(interface, driver) ? driver.head()->driver : "unknown";
}

std::set<std::string> features_of(const std::string& interface) {
  const std::vector<std::string> names = feature_names(interface);
  const size_t blocks = (names.size() + kWord - 1) / kWord;
  Request<ethtool_gfeatures> request(ETHTOOL_GFEATURES,
                                     blocks * sizeof(ethtool_get_features_block));
  request.head()->size = static_cast<uint32_t>(blocks);
  if (names.empty() || !ask(interface, request)) return {};
  std::vector<ethtool_get_features_block> read(blocks);
  std::memcpy(read.data(), request.bytes.data() + sizeof(ethtool_gfeatures),
              blocks * sizeof(ethtool_get_features_block));
  std::set<std::string> on;
  for (size_t i = 0; i < names.size(); i++)
    if ((read[i / kWord].active >> (i % kWord) & 1) != 0) on.insert(names[i]);
  return on;
}

Status switch_off(const std::string& interface, const std::string& feature) {
  const std::vector<std::string> names = feature_names(interface);
  const size_t blocks = (names.size() + kWord - 1) / kWord;
  std::vector<ethtool_set_features_block> change(blocks);
  for (size_t i = 0; i < names.size(); i++)
    if (names[i] == feature) change[i / kWord].valid |= 1U << (i % kWord);
  Request<ethtool_sfeatures> request(ETHTOOL_SFEATURES,
                                     blocks * sizeof(ethtool_set_features_block));
  request.head()->size = static_cast<uint32_t>(blocks);
  std::memcpy(request.bytes.data() + sizeof(ethtool_sfeatures), change.data(),
              blocks * sizeof(ethtool_set_features_block));
  if (ask(interface, request)) return Unit{};
  return Error{errno, "switch " + feature + " of " + interface + " off"};
}

std::optional<Channels> channels_of(const std::string& interface) {
  Request<ethtool_channels> channels(ETHTOOL_GCHANNELS);
  if (!ask(interface, channels)) return std::nullopt;
  return Channels{channels.head()->combined_count, channels.head()->max_combined};
}

}  // namespace datapath
