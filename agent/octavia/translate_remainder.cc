#include "agent/octavia/translate_remainder.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "agent/octavia/translate_frontend.h"
#include "agent/octavia/translate_words.h"

namespace octavia {

namespace {

using haproxy::Document;
using haproxy::Section;

// Adds every "<id>:<id>" in the line, be it a word or within one.
void find_backends(std::string_view line, std::set<BackendName>& found) {
  for (size_t colon = line.find(':'); colon != line.npos; colon = line.find(':', colon + 1)) {
    if (colon < kUuidCharacters) continue;
    const auto name =
        backend_name_of(line.substr(colon - kUuidCharacters, 2 * kUuidCharacters + 1));
    if (name) found.insert(*name);
  }
}

class Remainder {
 public:
  Remainder(const Document& document, const std::set<base::Uuid>& taken)
      : document_(document), taken_(taken) {}

  std::string text() {
    for (const Section& section : document_.sections())
      if (!is_taken_frontend(section) && !is_taken_backend(section)) find_names(section);
    bool is_needed = false;
    for (const Section& section : document_.sections()) {
      if (is_taken_frontend(section) || (is_taken_backend(section) && !is_named(section))) {
        for (uint32_t n = section.begin; n < section.end; n++) removed_.insert(n);
        continue;
      }
      remove_lines(section);
      const bool listens = section.kind == "frontend" || section.kind == "listen";
      if (listens && section.name != kPrometheusEndpoint) is_needed = true;
    }
    return is_needed ? document_.without(removed_) : "";
  }

 private:
  bool is_taken_frontend(const Section& section) const {
    const auto id = section.kind == "frontend" ? uuid_of(section.name) : std::nullopt;
    return id && taken_.contains(*id);
  }

  // A backend of a listener that is taken.
  bool is_taken_backend(const Section& section) const {
    const auto name = section.kind == "backend" ? backend_name_of(section.name) : std::nullopt;
    return name && taken_.contains(name->listener);
  }

  bool is_named(const Section& backend) const {
    return named_.contains(*backend_name_of(backend.name));
  }

  void find_names(const Section& section) {
    for (uint32_t n = section.begin; n < section.end; n++) find_backends(document_.line(n), named_);
  }

  void remove_lines(const Section& section) {
    for (uint32_t n = section.begin; n < section.end; n++) {
      std::vector<std::string> words = document_.words(n).words;
      if (!words.empty() && words[0] == "no") words.erase(words.begin());
      const bool is_htx = words == std::vector<std::string>{"option", "http-use-htx"};
      const bool is_group = section.kind == "global" && !words.empty() && words[0] == "group";
      if (is_htx || is_group) removed_.insert(n);
    }
  }

  const Document& document_;
  const std::set<base::Uuid>& taken_;
  std::set<BackendName> named_;  // in what stays
  std::set<uint32_t> removed_;
};

}  // namespace

std::string remainder(const Document& document, const std::set<base::Uuid>& taken) {
  return Remainder(document, taken).text();
}

}  // namespace octavia
