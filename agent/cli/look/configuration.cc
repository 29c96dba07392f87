// Which configuration the agent runs with, and what it says.
#include <algorithm>
#include <cerrno>
#include <sstream>

#include "agent/cli/look/parts.h"
#include "agent/serve/amphora_config.h"
#include "base/file.h"

namespace look {
namespace {

constexpr char kUnitOptions[] = "/etc/default/amphora-xdp";
constexpr char kDefaultConfig[] = "/etc/amphora-xdp/agent.json";

Options options_of_unit() {
  const auto text = base::read_file(kUnitOptions);
  return text ? options_in(*text) : Options{};
}

// The value of `name` in "--name value" or "--name=value"; "": it is not among the words.
std::string value_of(const std::vector<std::string>& words, const std::string& name) {
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == name && i + 1 < words.size()) return words[i + 1];
    if (words[i].starts_with(name + "=")) return words[i].substr(name.size() + 1);
  }
  return "";
}

template <class T>
T value_or_default(const base::Result<T>& read, std::string& fault) {
  if (read) return *read;
  fault = read.error().message();
  return T{};
}

}  // namespace

Options options_in(std::string_view text) {
  constexpr std::string_view kName = "AMPHORA_XDP_OPTIONS=";
  std::istringstream lines{std::string(text)};
  Options out;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(kName)) continue;
    line.erase(0, kName.size());
    std::erase_if(line, [](char c) { return c == '"' || c == '\''; });
    std::istringstream all(line);
    std::vector<std::string> words;
    for (std::string word; all >> word;) words.push_back(word);
    out = {value_of(words, "--config"), value_of(words, "--config-file")};
  }
  return out;
}

Read read_configuration(const Options& given) {
  Options options = given;
  if (options.config.empty() && options.amphora_conf.empty()) options = options_of_unit();
  Read out;
  doctor::Configuration& seen = out.configuration;
  if (!options.amphora_conf.empty()) {
    seen.file = options.amphora_conf;
    seen.is_amphora = true;
    const auto read = octavia::read_conf(seen.file);
    out.conf = value_or_default(read, seen.fault).conf;
    const auto config = serve::config_of(*out.conf, options.config);
    if (config || seen.fault.empty()) out.config = value_or_default(config, seen.fault);
    seen.is_pair = out.conf->topology == octavia::Topology::active_standby;
  } else {
    const bool is_given = !options.config.empty();
    seen.file = is_given ? options.config : kDefaultConfig;
    const auto read = serve::read_config(seen.file);
    // The default file may be missing: everything has its default then.
    if (!is_given && !read && read.error().code == ENOENT)
      seen.file = "the default configuration";
    else
      out.config = value_or_default(read, seen.fault);
    seen.is_pair = out.config.pair.has_value();
  }
  seen.network_namespace = out.config.netns;
  seen.state_dir = out.config.state_dir;
  seen.pin_root = out.config.pin_root;
  seen.control_socket = out.config.control_socket;
  for (const netns::InterfaceSpec& interface : out.config.layout.interfaces)
    seen.interfaces.push_back(interface.name);
  return out;
}

}  // namespace look
