// Any bytes as the body of plug/vip, plug/network or interface rules, and as a file of ours: read,
// or refused in the words of the contract. What is read makes a file that reads the same and a
// layout.
//
// The first byte says which. For plug/vip the line after it is the VIP in the path.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "agent/octavia/interface_file.h"
#include "agent/octavia/plug_body.h"
#include "agent/octavia/vip_rules.h"

namespace {

using namespace octavia;

void check(bool holds) {
  if (!holds) std::abort();
}

void check_refusal(const Answer& answer) {
  check(answer.status == 400);
  check(answer.message.empty() != answer.error.empty());
}

void check_file(const InterfaceFile& file) {
  const auto again = parse_interface_file(interface_file_text(file), "f");
  check(again.ok() && *again == file);
  layout_of({{file.name, file}}, {{file.name, base::MacAddress{}}});
}

void plug_vip(std::string_view text) {
  const size_t end = std::min(text.find('\n'), text.size());
  const auto read = read_vip_body(text.substr(0, end), text.substr(end));
  if (const auto* refusal = std::get_if<Answer>(&read)) return check_refusal(*refusal);
  for (Topology topology : {Topology::single, Topology::active_standby})
    check_file(vip_interface("eth1", std::get<VipBody>(read), {}, topology));
}

void plug_network(std::string_view text) {
  const auto read = read_network_body(text);
  if (const auto* refusal = std::get_if<Answer>(&read)) return check_refusal(*refusal);
  const auto& body = std::get<NetworkBody>(read);
  check_file(network_interface("eth2", body));
  if (body.vip_net_info)
    check_file(vip_interface("eth1", *body.vip_net_info, body.fixed_ips, Topology::single));
}

void rules(std::string_view text) {
  const auto read = read_vip_rules(text);
  if (const auto* refusal = std::get_if<Answer>(&read)) return check_refusal(*refusal);
  const auto& list = std::get<std::vector<VipRule>>(read);
  const auto again = read_vip_rules(vip_rules_text(list));
  check(std::get<std::vector<VipRule>>(again) == list);
  for (const VipRule& rule : list)
    check(allowed_clients(list, rule.protocol, rule.port, {}).has_value());
}

void file(std::string_view text) {
  if (const auto read = parse_interface_file(text, "f"); read.ok()) check_file(*read);
  const PluggedInterfaces plugged = parse_plugged_interfaces(text);
  check(parse_plugged_interfaces(plugged_interfaces_text(plugged)) == plugged);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  constexpr void (*kReaders[])(std::string_view) = {plug_vip, plug_network, rules, file};
  kReaders[data[0] % std::size(kReaders)](text);
  return 0;
}
