#include "agent/octavia/plugging.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace octavia {

namespace {

using base::Error;
using base::Result;
using base::Status;

constexpr char kVipInterface[] = "eth1";
constexpr int kFirstMember = 2;
constexpr int kAccepted = 202;

Answer failed(const std::string& message, const Error& why) {
  return {.status = 500, .message = message, .details = why.message()};
}

Answer accepted(const std::string& details) {
  return {.status = kAccepted, .message = "OK", .details = details};
}

// A name is taken from when it is given until the request for it ends, whichever way.
class Coming {
 public:
  Coming(std::set<std::string>& names, std::string name) : names_(names), name_(std::move(name)) {
    names_.insert(name_);
  }
  ~Coming() { names_.erase(name_); }
  Coming(const Coming&) = delete;
  Coming& operator=(const Coming&) = delete;

 private:
  std::set<std::string>& names_;
  std::string name_;
};

// VIPs aside: they come and go, and keepalived's are not ours to wait for.
bool has_addresses(const netns::Nic& nic, const InterfaceFile& file) {
  return nic.name == file.name &&
         std::all_of(file.addresses.begin(), file.addresses.end(), [&](const base::IpPrefix& a) {
           return std::find(nic.addresses.begin(), nic.addresses.end(), a) != nic.addresses.end();
         });
}

std::string list_of(const std::vector<SubnetAddress>& vips) {
  std::string out;
  for (const SubnetAddress& vip : vips) out += (out.empty() ? "" : ", ") + exploded(vip.address);
  return out;
}

}  // namespace

AmphoraPlugging::AmphoraPlugging(PlugNetwork& network, Blocking blocking, PlugStore store,
                                 Plugs plugs, std::function<Topology()> topology)
    : network_(network),
      blocking_(std::move(blocking)),
      store_(std::move(store)),
      plugs_(std::move(plugs)),
      topology_(std::move(topology)) {}

const netns::Nic* AmphoraPlugging::find(const std::vector<netns::Nic>& nics,
                                        const base::MacAddress& mac) {
  auto found =
      std::find_if(nics.begin(), nics.end(), [&](const netns::Nic& nic) { return nic.mac == mac; });
  return found == nics.end() ? nullptr : &*found;
}

// The controller asks again as long as it hears these very words.
Awaited<Answer> AmphoraPlugging::not_found() {
  auto rescanned = co_await network_.rescan();
  if (!rescanned) co_return failed("Error plugging interface", rescanned.error());
  co_return Answer{.status = 404, .details = "No suitable network interface found"};
}

std::string AmphoraPlugging::member_name(const PlugNetwork::Nics& nics,
                                         const base::MacAddress& mac) const {
  auto is_free = [&](const std::string& name) {
    return !coming_.contains(name) &&
           std::none_of(nics.inside.begin(), nics.inside.end(),
                        [&](const netns::Nic& nic) { return nic.name == name; });
  };
  // The one that it had before, if it is plugged again.
  for (const auto& [name, known] : plugs_.macs)
    if (known == mac && name != kVipInterface && is_free(name)) return name;
  for (int n = kFirstMember;; ++n)
    if (std::string name = "eth" + std::to_string(n); is_free(name)) return name;
}

// What is kept in memory is what the files say, so that two requests at once do not undo each
// other. One that cannot be written is forgotten.
Awaited<Status> AmphoraPlugging::keep(InterfaceFile file, base::MacAddress mac) {
  const std::string name = file.name;
  const Plugs before = plugs_;
  std::erase_if(plugs_.macs, [&](const auto& known) { return known.second == mac; });
  plugs_.macs[name] = mac;
  plugs_.files[name] = file;
  if (plugs_ == before) co_return base::Unit{};
  // A name of its own: GCC 12 destroys captures twice in an operand of co_await.
  const std::function<Status()> write = [this, file, macs = plugs_.macs]() -> Status {
    if (auto saved = store_.save(file); !saved) return saved;
    return store_.save(macs);
  };
  auto kept = co_await blocking_(write);
  if (kept) co_return kept;
  plugs_.macs.erase(name);
  plugs_.files.erase(name);
  if (before.macs.contains(name)) plugs_.macs[name] = before.macs.at(name);
  if (before.files.contains(name)) plugs_.files[name] = before.files.at(name);
  co_return kept;
}

Awaited<Status> AmphoraPlugging::set_up(InterfaceFile file, base::MacAddress mac) {
  if (auto kept = co_await keep(file, mac); !kept) co_return kept;
  const auto done = co_await network_.configure(layout());
  auto nics = co_await network_.nics();
  if (!nics) co_return nics.error();
  const netns::Nic* nic = find(nics->inside, mac);
  if (nic == nullptr || !has_addresses(*nic, file))
    co_return done ? Error{0, file.name + " did not come up with its addresses"} : done.error();
  if (!done) spdlog::warn("{} is plugged, but: {}", file.name, done.error().message());
  co_return base::Unit{};
}

Awaited<Answer> AmphoraPlugging::plug_vip(std::string vip, std::string body) {
  constexpr char kFailed[] = "Error plugging VIP";
  auto read = read_vip_body(vip, body);
  if (auto* refusal = std::get_if<Answer>(&read)) co_return *refusal;
  const auto& wanted = std::get<VipBody>(read);
  auto nics = co_await network_.nics();
  if (!nics) co_return failed(kFailed, nics.error());
  if (find(nics->inside, wanted.mac) != nullptr)
    co_return Answer{.status = 409, .message = "Interface already exists"};
  if (find(nics->outside, wanted.mac) == nullptr) co_return co_await not_found();
  for (const netns::Nic& nic : nics->inside)
    if (nic.name == kVipInterface)
      co_return failed(kFailed, {0, nic.name + " is that of " + nic.mac.text() + " already"});
  auto done = co_await set_up(vip_interface(kVipInterface, wanted, {}, topology_()), wanted.mac);
  if (!done) co_return failed(kFailed, done.error());
  co_return accepted(std::string("VIPs plugged on interface ") + kVipInterface + ": " +
                     list_of(wanted.vips));
}

Awaited<Answer> AmphoraPlugging::plug_network(std::string body) {
  constexpr char kFailed[] = "Error plugging network";
  auto read = read_network_body(body);
  if (auto* refusal = std::get_if<Answer>(&read)) co_return *refusal;
  const auto& wanted = std::get<NetworkBody>(read);
  auto nics = co_await network_.nics();
  if (!nics) co_return failed(kFailed, nics.error());
  const netns::Nic* present = find(nics->inside, wanted.mac);
  if (present == nullptr && find(nics->outside, wanted.mac) == nullptr)
    co_return co_await not_found();
  const std::string name = present != nullptr ? present->name : member_name(*nics, wanted.mac);
  InterfaceFile file = network_interface(name, wanted);
  if (present != nullptr && wanted.vip_net_info) {
    VipBody vip = *wanted.vip_net_info;
    vip.mtu = wanted.mtu;
    vip.is_sriov = wanted.is_sriov;
    file = vip_interface(name, vip, wanted.fixed_ips, topology_());
  }
  const Coming coming(coming_, name);
  if (auto done = co_await set_up(std::move(file), wanted.mac); !done)
    co_return failed(kFailed, done.error());
  co_return accepted(
      (present != nullptr ? "Updated existing interface " : "Plugged on interface ") + name);
}

// None at all means what was sent before; before anything was sent, that nobody gets in.
Awaited<Answer> AmphoraPlugging::put_rules(std::string interface, std::string body) {
  auto read = read_vip_rules(body);
  if (auto* refusal = std::get_if<Answer>(&read)) co_return *refusal;
  auto rules = std::get<std::vector<VipRule>>(std::move(read));
  if (rules.empty()) rules = plugs_.rules.value_or(rules);
  const std::string what = "Error setting the rules of " + interface;
  if (plugs_.rules != rules) {
    const std::function<Status()> write = [this, rules] { return store_.save(rules); };
    auto kept = co_await blocking_(write);
    if (!kept) co_return failed(what, kept.error());
    plugs_.rules = rules;
  }
  if (auto enforced = co_await network_.enforce(rules); !enforced)
    co_return failed(what, enforced.error());
  co_return Answer{.status = 200, .message = "OK"};
}

Awaited<Result<std::optional<std::string>>> AmphoraPlugging::interface_of(base::IpAddress address) {
  auto nics = co_await network_.nics();
  if (!nics) co_return nics.error();
  for (const netns::Nic& nic : nics->inside)
    for (const base::IpPrefix& prefix : nic.addresses)
      if (prefix.address == address) co_return nic.name;
  co_return std::nullopt;
}

Awaited<Result<std::vector<InterfaceTraffic>>> AmphoraPlugging::traffic() {
  auto nics = co_await network_.nics();
  if (!nics) co_return nics.error();
  std::vector<InterfaceTraffic> out;
  out.reserve(nics->inside.size());
  for (const netns::Nic& nic : nics->inside)
    out.push_back({nic.name, nic.transmitted, nic.received});
  co_return out;
}

}  // namespace octavia
