#include "agent/octavia/plug_store.h"

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/file.h"

namespace octavia {

namespace {

using base::Error;
using base::Result;
using base::Status;
namespace fs = std::filesystem;

constexpr char kMacsName[] = "plugged_interfaces";
constexpr char kRulesName[] = "vip-rules.json";

Status make_folder(const std::string& path) {
  std::error_code failure;
  fs::create_directories(path, failure);
  if (failure) return Error{failure.value(), "make " + path};
  return base::Unit{};
}

}  // namespace

void PlugStore::load_interfaces(Loaded& into) const {
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(paths_.interfaces, failure)) {
    const std::string path = entry.path().string();
    if (entry.path().extension() != ".json" || entry.path().filename().string().front() == '.')
      continue;
    const auto text = base::read_file(path);
    auto file = text ? parse_interface_file(*text, path) : Result<InterfaceFile>(text.error());
    if (file && file->name != entry.path().stem())
      file = Error{0, path + ": is of another interface, " + file->name};
    if (file)
      into.plugs.files[file->name] = *file;
    else
      into.unreadable.push_back(file.error().message());
  }
  if (failure) into.unreadable.push_back("read " + paths_.interfaces + ": " + failure.message());
}

void PlugStore::load_rules(Loaded& into) const {
  const std::string path = paths_.base + "/" + kRulesName;
  const auto text = base::read_file(path);
  if (!text && text.error().code == ENOENT) return;
  into.plugs.rules.emplace();
  if (text) {
    auto rules = read_vip_rules(*text);
    auto* list = std::get_if<std::vector<VipRule>>(&rules);
    if (list != nullptr) into.plugs.rules = std::move(*list);
    if (list != nullptr) return;
  }
  into.unreadable.push_back((text ? path + ": is no list of rules" : text.error().message()) +
                            ": nobody is let in");
}

Result<PlugStore::Loaded> PlugStore::load() {
  for (const std::string& folder : {paths_.interfaces, paths_.macs, paths_.base})
    if (auto made = make_folder(folder); !made) return made.error();
  Loaded out;
  load_interfaces(out);
  if (!out.plugs.files.contains("lo")) {
    if (auto saved = save(loopback_file()); !saved) return saved.error();
    out.plugs.files["lo"] = loopback_file();
  }
  const auto macs = base::read_file(paths_.macs + "/" + kMacsName);
  if (macs)
    out.plugs.macs = parse_plugged_interfaces(*macs);
  else if (macs.error().code != ENOENT)
    out.unreadable.push_back(macs.error().message());
  load_rules(out);
  return out;
}

Status PlugStore::save(const InterfaceFile& file) {
  return base::replace_file(paths_.interfaces, file.name + ".json", interface_file_text(file),
                            0644);
}

Status PlugStore::save(const PluggedInterfaces& macs) {
  return base::replace_file(paths_.macs, kMacsName, plugged_interfaces_text(macs), 0644);
}

Status PlugStore::save(const std::vector<VipRule>& rules) {
  return base::replace_file(paths_.base, kRulesName, vip_rules_text(rules), 0600);
}

}  // namespace octavia
