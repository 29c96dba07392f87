#include "agent/control/flow_filter.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

namespace control {
namespace {

using model::Fault;

constexpr std::array<std::string_view, 3> kProtocols{"TCP", "UDP", "SCTP"};
constexpr std::array<std::string_view, 6> kStates{"half_open",      "open",   "closing_client",
                                                  "closing_member", "closed", "reset"};

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || stop != end || text.empty()) return std::nullopt;
  return number;
}

std::optional<EndpointFilter> parse_endpoint(std::string_view text) {
  if (const auto prefix = base::IpPrefix::parse(text)) return EndpointFilter{*prefix, std::nullopt};
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = parse_number<uint16_t>(text.substr(colon + 1));
  std::string_view address = text.substr(0, colon);
  const bool brackets = address.starts_with('[') && address.ends_with(']');
  if (brackets) address = address.substr(1, address.size() - 2);
  const auto prefix = base::IpPrefix::parse(address);
  if (!port || !prefix) return std::nullopt;
  if ((prefix->address.family() == base::Family::ipv6) != brackets) return std::nullopt;
  return EndpointFilter{*prefix, port};
}

// By id (there or not: flows outlive resources) or by name.
template <class Resource>
std::optional<base::Uuid> find(const std::map<base::Uuid, Resource>& resources,
                               const std::string& text) {
  if (const auto id = base::Uuid::parse(text)) return id;
  for (const auto& [id, resource] : resources)
    if (!text.empty() && resource.name == text) return id;
  return std::nullopt;
}

template <size_t n>
std::optional<std::string> one_of(const std::array<std::string_view, n>& words, std::string text,
                                  int (*fold)(int)) {
  std::ranges::transform(text, text.begin(),
                         [fold](unsigned char c) { return static_cast<char>(fold(c)); });
  if (std::ranges::find(words, text) == words.end()) return std::nullopt;
  return text;
}

template <class Value, class To>
bool store(std::optional<Value> value, To& to) {
  if (value) to = *value;
  return value.has_value();
}

// Empty: taken. Else what would have been right.
std::string take(FlowFilter& filter, const std::string& name, const std::string& value,
                 const model::Model& m) {
  const auto expected = [](bool taken, const char* what) { return taken ? "" : what; };
  constexpr const char* kEndpoint = "an address, a prefix or address:port is expected";
  if (name == "client") return expected(store(parse_endpoint(value), filter.client), kEndpoint);
  if (name == "vip") return expected(store(parse_endpoint(value), filter.vip), kEndpoint);
  if (name == "member")
    return expected(store(parse_endpoint(value), filter.member_endpoint) ||
                        store(find(m.members, value), filter.member),
                    "an address, address:port, or the id or name of a member is expected");
  if (name == "listener")
    return expected(store(find(m.listeners, value), filter.listener),
                    "the id or name of a listener is expected");
  if (name == "protocol")
    return expected(store(one_of(kProtocols, value, std::toupper), filter.protocol),
                    "TCP, UDP or SCTP is expected");
  if (name == "state")
    return expected(store(one_of(kStates, value, std::tolower), filter.state),
                    "half_open, open, closing_client, closing_member, closed or reset is expected");
  if (name == "limit")
    return expected(store(parse_number<uint64_t>(value), filter.limit) && filter.limit > 0,
                    "a whole number from 1 on is expected");
  return "there is no such parameter";
}

bool fits(const std::optional<EndpointFilter>& filter, const base::Endpoint& endpoint) {
  if (!filter) return true;
  return filter->prefix.contains(endpoint.address) &&
         (!filter->port || *filter->port == endpoint.port);
}

}  // namespace

bool FlowFilter::matches(const Flow& flow) const {
  return fits(client, flow.client) && fits(vip, flow.vip) && fits(member_endpoint, flow.member) &&
         (!listener || *listener == flow.listener_id) && (!member || *member == flow.member_id) &&
         (protocol.empty() || protocol == flow.protocol) && (state.empty() || state == flow.state);
}

model::Outcome<FlowFilter> parse_flow_filter(const http::Parameters& parameters,
                                             const model::Model& m) {
  FlowFilter filter;
  std::set<std::string> seen;
  for (const auto& [name, value] : parameters) {
    std::string why = take(filter, name, value, m);
    if (why.empty() && !seen.insert(name).second) why = "the parameter is given twice";
    if (!why.empty())
      return Fault{400, "Invalid input for query parameter " + name + ". Value: '" + value + "'. " +
                            why + "."};
  }
  return filter;
}

}  // namespace control
