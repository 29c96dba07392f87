#include "keepalived/lvs_document.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "base/number.h"
#include "keepalived/lvs_lines.h"
#include "keepalived/lvs_server.h"

namespace keepalived {

namespace {

using base::Result;
using base::Status;
using base::Unit;

struct Group {
  uint32_t line = 0;
  std::vector<base::Endpoint> vips;
};

std::optional<LvsScheduler> scheduler_of(std::string_view word) {
  if (word == "wrr") return LvsScheduler::weighted_round_robin;
  if (word == "lc") return LvsScheduler::least_connections;
  if (word == "sh") return LvsScheduler::source_hash;
  return std::nullopt;
}

std::optional<LvsProtocol> protocol_of(std::string_view word) {
  if (word == "UDP") return LvsProtocol::udp;
  if (word == "SCTP") return LvsProtocol::sctp;
  return std::nullopt;
}

bool is_granularity(std::string_view word) {
  return base::IpAddress::parse(word).has_value() || base::parse_number(word, 0, 128).has_value();
}

// The lines of a virtual_server but its servers and comments; false: not understood.
class Settings {
 public:
  explicit Settings(LvsVirtualServer& into) : into_(into) {}

  bool read(const LvsLine& line) {
    if (line.words.size() != 2 || !seen_.insert(line.words[0]).second) return false;
    const std::string &key = line.words[0], &value = line.words[1];
    if (key == "lb_algo") return take(scheduler_of(value), into_.scheduler);
    if (key == "protocol") return take(protocol_of(value), into_.protocol);
    if (key == "lb_kind") return value == "NAT";
    if (key == "persistence_timeout")
      return take(base::parse_number(value, 0, std::numeric_limits<int>::max()),
                  into_.persistence_timeout);
    if (key == "delay_loop") return take(base::parse_number(value, 1, kMostSeconds), into_.delay);
    // The same time in every text of Octavia, which writes it second.
    if (key == "delay_before_retry")
      return into_.delay && base::parse_number(value, 1, kMostSeconds) == into_.delay;
    if (key == "retry") return take(base::parse_number(value, 1, 100), into_.retry);
    if (key != "persistence_granularity" || !is_granularity(value)) return false;
    into_.persistence_granularity = value;
    return true;
  }

  bool complete() const {
    return seen_.contains("lb_algo") && seen_.contains("protocol") && seen_.contains("lb_kind");
  }

 private:
  template <class Value, class Field>
  static bool take(const std::optional<Value>& value, Field& field) {
    if (value) field = *value;
    return value.has_value();
  }

  LvsVirtualServer& into_;
  std::set<std::string> seen_;
};

class LvsReader {
 public:
  explicit LvsReader(std::string_view text) : lines_(text) {}

  Result<LvsDocument> read() {
    while (const auto line = lines_.next())
      if (auto done = read_line(*line); !done) return done.error();
    if (!has_load_balancer_ || !has_listener_)
      return error_at(lines_.number(), "no comment names the load balancer and the listener");
    if (!groups_.empty())
      return error_at(groups_.begin()->second.line, "no virtual_server uses the group");
    return std::move(document_);
  }

 private:
  Status read_line(const LvsLine& line) {
    if (line.is_comment) return read_header(line);
    if (line.is("net_namespace", 2)) return Unit{};
    if (line.begins_block("virtual_server_group", 3)) return read_group(line);
    if (line.begins_block("virtual_server", 4) && line.words[1] == "group")
      return read_virtual_server(line);
    return not_understood(line);
  }

  Status read_header(const LvsLine& line) {
    const auto note = note_of(line);
    if (!note) return note.error();
    if (!*note) return Unit{};
    const LvsNote& said = **note;
    if (said.kind == "Loadbalancer" && !said.is_disabled && !has_load_balancer_) {
      document_.load_balancer = said.id;
      has_load_balancer_ = true;
    } else if (said.kind == "Listener" && !has_listener_) {
      document_.listener = said.id;
      document_.is_enabled = !said.is_disabled;
      has_listener_ = true;
    } else {
      return not_understood(line);
    }
    return Unit{};
  }

  Status read_group(const LvsLine& title) {
    Group group{title.number, {}};
    while (const auto line = lines_.next()) {
      if (line->ends_block()) {
        if (group.vips.empty()) return error_at(title.number, "the group has no address");
        if (!groups_.emplace(title.words[1], std::move(group)).second) return not_understood(title);
        return Unit{};
      }
      const auto vip = line->is_comment || line->words.size() != 2
                           ? std::nullopt
                           : endpoint_of(line->words[0], line->words[1]);
      if (!vip ||
          (!group.vips.empty() && (vip->port != group.vips[0].port ||
                                   vip->address.family() != group.vips[0].address.family())))
        return not_understood(*line);
      group.vips.push_back(*vip);
    }
    return error_at(lines_.number(), "the text ends within a block");
  }

  Status read_virtual_server(const LvsLine& title) {
    const auto group = groups_.find(title.words[2]);
    if (group == groups_.end()) return error_at(title.number, "there is no such group before it");
    LvsVirtualServer server;
    server.line = title.number;
    server.vips = std::move(group->second.vips);
    groups_.erase(group);
    Settings settings(server);
    std::optional<base::Uuid> member;  // that the last comment named
    while (const auto line = lines_.next()) {
      if (line->ends_block()) {
        if (member) return error_at(line->number, "the last member has no real_server");
        if (!settings.complete())
          return error_at(title.number, "lb_algo, lb_kind or protocol is missing");
        document_.virtual_servers.push_back(std::move(server));
        return Unit{};
      }
      Status done = Unit{};
      if (line->is_comment)
        done = read_note(*line, server, member);
      else if (line->words[0] == "real_server")
        done = add_server(*line, server, member);
      else if (!settings.read(*line))
        done = not_understood(*line);
      if (!done) return done.error();
    }
    return error_at(lines_.number(), "the text ends within a block");
  }

  static Status read_note(const LvsLine& line, LvsVirtualServer& server,
                          std::optional<base::Uuid>& member) {
    const auto note = note_of(line);
    if (!note) return note.error();
    if (!*note) return Unit{};
    const LvsNote& said = **note;
    if (said.kind == "Pool" && !server.pool) {
      server.pool = said.id;
      server.pool_is_enabled = !said.is_disabled;
    } else if (said.kind == "HealthMonitor" && !server.monitor && !said.is_disabled) {
      server.monitor = said.id;
    } else if (said.kind == "Member" && said.is_disabled && !member) {
      server.servers.push_back({said.id, line.number, std::nullopt, 0, std::nullopt, std::nullopt});
    } else if (said.kind == "Member" && !said.is_disabled && !member) {
      member = said.id;
    } else {
      return not_understood(line);
    }
    return Unit{};
  }

  Status add_server(const LvsLine& line, LvsVirtualServer& server,
                    std::optional<base::Uuid>& member) {
    if (!member) return error_at(line.number, "no comment before it names its member");
    auto read = read_server(line, lines_);
    if (!read) return read.error();
    if (read->place->address.family() != server.vips[0].address.family())
      return error_at(line.number, "its family is not the one of the group");
    read->member = *member;
    member.reset();
    server.servers.push_back(std::move(*read));
    return Unit{};
  }

  LvsLines lines_;
  LvsDocument document_;
  bool has_load_balancer_ = false, has_listener_ = false;
  std::map<std::string, Group> groups_;  // that no virtual_server has used yet
};

}  // namespace

Result<LvsDocument> read_lvs(std::string_view text) {
  if (text.size() > kMostLvsBytes) {
    const auto count = std::count(text.begin(), text.begin() + kMostLvsBytes, '\n');
    return error_at(static_cast<uint32_t>(count + 1),
                    "the text is longer than " + std::to_string(kMostLvsBytes) + " bytes");
  }
  if (const size_t nul = text.find('\0'); nul != text.npos) {
    const auto count = std::count(text.begin(), text.begin() + static_cast<long>(nul), '\n');
    return error_at(static_cast<uint32_t>(count + 1), "there is a NUL in it");
  }
  return LvsReader(text).read();
}

}  // namespace keepalived
