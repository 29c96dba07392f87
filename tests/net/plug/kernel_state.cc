#include "tests/net/plug/kernel_state.h"

#include <regex>
#include <sstream>

#include "base/file.h"
#include "tests/net/netns/lab.h"

namespace plug_test {

namespace {

constexpr const char* kCommands[] = {"ip -4 route show table main",
                                     "ip -4 route show table 1",
                                     "ip -6 route show table main",
                                     "ip -6 route show table 1",
                                     "ip -4 rule",
                                     "ip -6 rule"};

std::string without(const std::string& line, const char* pattern) {
  return std::regex_replace(line, std::regex(pattern), "");
}

std::set<std::string> lines_of(const std::string& text) {
  std::set<std::string> out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    line = without(line, " proto (88|static)");
    line = without(line, "^(Error|Dump).*");
    line = without(line, "\\s+$");
    if (!line.empty() && line.find("fe80::") == std::string::npos) out.insert(line);
  }
  return out;
}

void read_addresses(const std::string& text, KernelState& into) {
  std::istringstream lines(text);
  std::string interface;
  std::smatch m;
  for (std::string line; std::getline(lines, line);) {
    if (std::regex_search(line, m, std::regex("^\\d+: ([^:@]+)[:@].* mtu (\\d+)"))) {
      interface = "addr " + m[1].str();
      into[interface].insert("mtu " + m[2].str());
    } else if (std::regex_search(line, m, std::regex("^ +(inet6? [^ ]+) "))) {
      if (m[1].str().find("fe80::") == std::string::npos) into[interface].insert(m[1]);
    }
  }
}

// Of a transcript: what a command printed.
std::string printed(const std::string& transcript, const std::string& command) {
  const size_t at = transcript.find("$ " + command + "\n");
  EXPECT_NE(at, std::string::npos) << command;
  const size_t start = transcript.find('\n', at) + 1;
  return transcript.substr(start, transcript.find("\n$ ", start) - start);
}

}  // namespace

KernelState read_kernel_state(const std::string& name_of_namespace) {
  const std::string in = "ip -n " + name_of_namespace;
  KernelState out;
  for (const std::string command : kCommands)
    out[command] = lines_of(netns_test::sh(in + command.substr(2) + " || true"));
  read_addresses(netns_test::sh(in + " addr"), out);
  return out;
}

KernelState sampled_kernel_state(const std::string& topology) {
  const auto text = base::read_file(std::string(OCTAVIA_SAMPLES) + "/interfaces-" + topology +
                                    "/kernel-state.txt");
  EXPECT_TRUE(text);
  KernelState out;
  for (const std::string command : kCommands) out[command] = lines_of(printed(*text, command));
  read_addresses(printed(*text, "ip -d addr"), out);
  return out;
}

}  // namespace plug_test
