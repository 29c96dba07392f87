#include "keepalived/document.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string_view>

#include "base/ascii.h"
#include "base/number.h"
#include "keepalived/lvs_lines.h"

namespace keepalived {

namespace {

using base::Error;
using base::IpAddress;
using base::Result;
using base::Status;
using base::Unit;
using Line = LvsLine;

bool is_plain(char c) {
  constexpr std::string_view kMarks = "._-/:,{}";
  return base::is_alphanumeric(c) || kMarks.find(c) != std::string_view::npos;
}

// Nothing that keepalived would take for more than a word: no quotes, variables, conditions,
// continued lines, and comments only on lines of their own.
Status check_characters(std::string_view text) {
  uint32_t number = 1;
  bool in_comment = false, at_start = true;
  for (const char c : text) {
    if (c == '\n') {
      number++;
      in_comment = false;
      at_start = true;
      continue;
    }
    if (at_start && c == '#') in_comment = true;
    if (c == ' ' || c == '\t') continue;
    at_start = false;
    const bool good = in_comment ? c >= ' ' && c < 0x7f : is_plain(c);
    if (!good) return error_at(number, "there is a character that no word of Octavia's has");
  }
  return Unit{};
}

bool is_name(std::string_view word) {
  constexpr size_t kLongest = 64;
  return !word.empty() && word.size() <= kLongest &&
         word.find_first_of("/:,{}") == std::string_view::npos;
}

// "1", "0.1": of seconds, down to hundredths.
std::optional<std::chrono::milliseconds> time_of(std::string_view word) {
  const size_t dot = word.find('.');
  const auto whole = base::parse_number(word.substr(0, dot), 0, 255);
  if (!whole) return std::nullopt;
  int hundredths = 0;
  if (dot != std::string_view::npos) {
    const std::string_view digits = word.substr(dot + 1);
    const auto part = digits.size() <= 2 ? base::parse_number(digits, 0, 99) : std::nullopt;
    if (!part) return std::nullopt;
    hundredths = digits.size() == 1 ? *part * 10 : *part;
  }
  const std::chrono::milliseconds time(*whole * 1000 + hundredths * 10);
  return time.count() > 0 ? std::optional(time) : std::nullopt;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

class InstanceReader {
 public:
  InstanceReader(std::string_view text, const std::string& check_script)
      : lines_(text), check_script_(check_script) {}

  Result<Instance> read();

 private:
  using Each = std::function<Status(const Line&)>;

  // Hands every line of a block to `each`, up to its end.
  Status block(const Each& each);
  Status script(const std::string& name);
  Status instance();
  Status instance_line(const Line& line);
  Status instance_word(const Line& line);
  Status inner_block(const Line& line);
  Status authentication();
  Status addresses(std::vector<IpAddress>& into);
  Status excluded();
  Status words(std::vector<std::string>& into);
  Status tracked();
  Status check_whole();

  template <class T>
  static Status take(const std::optional<T>& value, T& into, const Line& line) {
    if (!value) return not_understood(line);
    into = *value;
    return Unit{};
  }

  LvsLines lines_;
  const std::string& check_script_;
  Instance instance_;
  bool has_instance_ = false;
  uint32_t instance_line_ = 0;
  std::map<std::string, CheckScript> scripts_;
  std::set<std::string> said_;  // words of the instance that may be there once
};

Result<Instance> InstanceReader::read() {
  while (const auto line = lines_.next()) {
    if (line->is_comment) continue;
    if (line->begins_block("vrrp_script", 3) && is_name(line->words[1])) {
      if (auto done = script(line->words[1]); !done) return done.error();
    } else if (line->begins_block("vrrp_instance", 3) && is_name(line->words[1])) {
      if (has_instance_) return error_at(line->number, "there is more than one vrrp_instance");
      has_instance_ = true;
      instance_line_ = line->number;
      instance_.name = line->words[1];
      if (auto done = block([this](const Line& inner) { return instance_line(inner); }); !done)
        return done.error();
    } else {
      return not_understood(*line);
    }
  }
  if (!has_instance_) return Error{0, "there is no vrrp_instance"};
  if (auto done = check_whole(); !done) return done.error();
  return std::move(instance_);
}

Status InstanceReader::block(const Each& each) {
  while (const auto line = lines_.next()) {
    if (line->is_comment) continue;
    if (line->ends_block()) return Unit{};
    if (auto done = each(*line); !done) return done;
  }
  return error_at(lines_.number(), "a block does not end");
}

Status InstanceReader::script(const std::string& name) {
  CheckScript script;
  script.name = name;
  const auto read = [&](const Line& line) -> Status {
    if (line.words.size() != 2) return not_understood(line);
    const std::string& word = line.words[0];
    const std::string& value = line.words[1];
    constexpr int kMost = 86400;
    if (word == "script") {
      if (value != check_script_)
        return error_at(line.number, "only " + check_script_ + " may be run: " + value);
      script.path = value;
      return Unit{};
    }
    if (word == "interval") return take(base::parse_number(value, 1, kMost), script.interval, line);
    if (word == "fall") return take(base::parse_number(value, 1, kMost), script.fall, line);
    if (word == "rise") return take(base::parse_number(value, 1, kMost), script.rise, line);
    if (word != "timeout") return not_understood(line);
    script.timeout = base::parse_number(value, 1, kMost);
    return script.timeout ? Status(Unit{}) : not_understood(line);
  };
  const uint32_t number = lines_.number();
  if (auto done = block(read); !done) return done;
  if (script.path.empty()) return error_at(number, "the script of " + name + " is not said");
  if (!scripts_.emplace(name, script).second)
    return error_at(number, "there is more than one vrrp_script " + name);
  return Unit{};
}

Status InstanceReader::instance_line(const Line& line) {
  if (!said_.insert(line.words[0]).second)
    return error_at(line.number, line.words[0] + " is said more than once");
  if (line.words.back() == "{") return inner_block(line);
  return instance_word(line);
}

Status InstanceReader::instance_word(const Line& line) {
  const std::string& word = line.words[0];
  constexpr int kMost = 86400;
  if (line.words.size() == 1) {
    if (word == "nopreempt") return take(std::optional(true), instance_.nopreempt, line);
    if (word == "accept") return take(std::optional(true), instance_.accept, line);
  }
  if (line.words.size() != 2) return not_understood(line);
  const std::string& value = line.words[1];
  if (word == "interface") {
    constexpr size_t kLongest = 15;  // the kernel's
    if (!is_name(value) || value.size() > kLongest) return not_understood(line);
    instance_.interface = value;
    return Unit{};
  }
  if (word == "state" && value == "MASTER") instance_.start = Instance::Start::master;
  if (word == "state" && value == "BACKUP") instance_.start = Instance::Start::backup;
  if (word == "state")
    return instance_.start == Instance::Start::unsaid ? not_understood(line) : Status(Unit{});
  if (word == "version") {
    instance_.version = value == "3" ? Instance::Version::v3 : Instance::Version::v2;
    return value == "2" || value == "3" ? Status(Unit{}) : not_understood(line);
  }
  if (word == "virtual_router_id")
    return take(base::parse_number(value, 1, 255), instance_.router_id, line);
  if (word == "priority") return take(base::parse_number(value, 1, 255), instance_.priority, line);
  if (word == "advert_int") return take(time_of(value), instance_.advert, line);
  if (word == "garp_master_refresh" || word == "garp_master_refresh_repeat") {
    auto& into =
        word == "garp_master_refresh" ? instance_.garp_refresh : instance_.garp_refresh_repeat;
    into = base::parse_number(value, 0, kMost);
    return into ? Status(Unit{}) : not_understood(line);
  }
  if (word != "unicast_src_ip") return not_understood(line);
  instance_.source = IpAddress::parse(value);
  return instance_.source ? Status(Unit{}) : not_understood(line);
}

Status InstanceReader::inner_block(const Line& line) {
  if (line.words.size() != 2) return not_understood(line);
  const std::string& word = line.words[0];
  if (word == "authentication") return authentication();
  if (word == "unicast_peer") return addresses(instance_.peers);
  if (word == "virtual_ipaddress") return addresses(instance_.vips);
  if (word == "virtual_ipaddress_excluded") return excluded();
  if (word == "virtual_routes") return words(instance_.routes);
  if (word == "virtual_rules") return words(instance_.rules);
  if (word == "track_script") return tracked();
  return not_understood(line);
}

Status InstanceReader::authentication() {
  return block([this](const Line& line) -> Status {
    if (line.is("auth_type", 2) && line.words[1] == "PASS") return Unit{};
    if (!line.is("auth_pass", 2) || !is_name(line.words[1])) return not_understood(line);
    instance_.password = line.words[1];
    return Unit{};
  });
}

Status InstanceReader::addresses(std::vector<IpAddress>& into) {
  return block([&into](const Line& line) -> Status {
    const auto address = line.words.size() == 1 ? IpAddress::parse(line.words[0]) : std::nullopt;
    if (!address) return not_understood(line);
    if (into.size() == Document::kMostAddresses) return error_at(line.number, "too many addresses");
    into.push_back(*address);
    return Unit{};
  });
}

Status InstanceReader::excluded() {
  return block([this](const Line& line) -> Status {
    const auto& words = line.words;
    const bool elsewhere = words.size() == 3 && words[1] == "dev" && is_name(words[2]);
    const auto address = elsewhere || words.size() == 1 ? IpAddress::parse(words[0]) : std::nullopt;
    if (!address) return not_understood(line);
    if (instance_.excluded.size() + instance_.floating.size() == Document::kMostAddresses)
      return error_at(line.number, "too many addresses");
    if (elsewhere)
      instance_.floating.push_back({*address, words[2]});
    else
      instance_.excluded.push_back(*address);
    return Unit{};
  });
}

// keepalived reads them as `ip route` and `ip rule` do; there is no word that does anything else.
Status InstanceReader::words(std::vector<std::string>& into) {
  return block([&into](const Line& line) -> Status {
    const bool nested = std::any_of(line.words.begin(), line.words.end(), [](const auto& word) {
      return word.find_first_of("{}") != std::string::npos;
    });
    if (nested) return not_understood(line);
    if (into.size() == Document::kMostAddresses) return error_at(line.number, "too many lines");
    into.push_back(joined(line.words));
    return Unit{};
  });
}

Status InstanceReader::tracked() {
  return block([this](const Line& line) -> Status {
    const auto known = line.words.size() == 1 ? scripts_.find(line.words[0]) : scripts_.end();
    if (known == scripts_.end())
      return error_at(line.number, "there is no vrrp_script " + joined(line.words));
    instance_.scripts.push_back(known->second);
    return Unit{};
  });
}

Status InstanceReader::check_whole() {
  const auto wrong = [this](const char* what) { return error_at(instance_line_, what); };
  if (instance_.interface.empty()) return wrong("the instance has no interface");
  if (instance_.vips.empty()) return wrong("the instance has no virtual_ipaddress");
  if (!said_.contains("virtual_router_id")) return wrong("the instance has no virtual_router_id");
  if (!said_.contains("priority")) return wrong("the instance has no priority");
  const base::Family family = instance_.vips.front().family();
  const auto other = [family](const IpAddress& address) { return address.family() != family; };
  if (std::any_of(instance_.vips.begin(), instance_.vips.end(), other))
    return wrong("virtual_ipaddress has addresses of both families");
  if (std::any_of(instance_.peers.begin(), instance_.peers.end(), other) ||
      (instance_.source && other(*instance_.source)))
    return wrong("the nodes have addresses of another family than virtual_ipaddress");
  if (instance_.version == Instance::Version::v2 && instance_.advert.count() % 1000 != 0)
    return wrong("advert_int is not in whole seconds, as VRRP version 2 has it");
  return Unit{};
}

}  // namespace

Result<Document> Document::parse(std::string text, const std::string& check_script) {
  if (text.size() > kMostBytes) return Error{0, "the text is longer than 1 MiB"};
  if (auto done = check_characters(text); !done) return done.error();
  Result<Instance> instance = InstanceReader(text, check_script).read();
  if (!instance) return instance.error();
  return Document(std::move(text), std::move(*instance));
}

}  // namespace keepalived
