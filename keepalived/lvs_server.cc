#include "keepalived/lvs_server.h"

#include <limits>

#include "base/number.h"

namespace keepalived {

namespace {

using base::Result;
using base::Status;
using base::Unit;

constexpr int kMostWeight = 256;

base::Error unclosed(const LvsLines& lines) {
  return error_at(lines.number(), "the text ends within a block");
}

// Calls `read` with each line up to the end of the block.
template <class Read>
Status each_line(LvsLines& lines, const Read& read) {
  while (const auto line = lines.next()) {
    if (line->ends_block()) return Unit{};
    if (Status done = read(*line); !done) return done.error();
  }
  return unclosed(lines);
}

// Both programs of Octavia take the address and the port last.
bool read_program(const std::string& command, LvsCheck& check) {
  LvsLines one(command);
  const auto line = one.next();
  if (!line || line->is_comment) return false;
  const std::vector<std::string>& words = line->words;
  if (words.size() < 3) return false;
  const auto target = endpoint_of(words[words.size() - 2], words.back());
  if (!target) return false;
  check.target = *target;
  if (words.size() == 3 && words[0].ends_with("/lvs/check/udp_check.sh")) {
    check.kind = LvsCheck::Kind::udp_connect;
    return true;
  }
  if (words.size() != 6 || words[0] != "amphora-health-checker" || words[1] != "sctp" ||
      words[2] != "-t")
    return false;
  const auto timeout = base::parse_number(words[3], 1, kMostSeconds);
  if (!timeout) return false;
  check.kind = LvsCheck::Kind::sctp;
  check.timeout = *timeout;
  return true;
}

Result<LvsCheck> read_misc(const LvsLine& title, LvsLines& lines) {
  LvsCheck check;
  std::optional<int> timeout;
  bool has_program = false;
  const auto done = each_line(lines, [&](const LvsLine& line) -> Status {
    if (line.is("misc_path", 2) && !has_program && read_program(line.words[1], check))
      has_program = true;
    else if (line.is("misc_timeout", 2) && !timeout &&
             base::parse_number(line.words[1], 1, kMostSeconds))
      timeout = base::parse_number(line.words[1], 1, kMostSeconds);
    else
      return not_understood(line);
    return Unit{};
  });
  if (!done) return done.error();
  if (!has_program || !timeout) return error_at(title.number, "the check is not known");
  // The program of SCTP is told its own time; keepalived waits a second longer.
  if (check.kind == LvsCheck::Kind::udp_connect) check.timeout = *timeout;
  return check;
}

Status read_url(LvsLines& lines, LvsCheck& check) {
  return each_line(lines, [&](const LvsLine& line) -> Status {
    if (line.is("path", 2) && (check.path.empty() || check.path == line.words[1])) {
      check.path = line.words[1];
      return Unit{};
    }
    const auto code =
        line.is("status_code", 2) ? base::parse_number(line.words[1], 100, 599) : std::nullopt;
    if (!code) return not_understood(line);
    check.status_codes.push_back(*code);
    return Unit{};
  });
}

// TCP_CHECK and HTTP_GET.
Result<LvsCheck> read_connecting(const LvsLine& title, LvsLines& lines, LvsCheck::Kind kind) {
  LvsCheck check;
  check.kind = kind;
  std::string address, port;
  const auto done = each_line(lines, [&](const LvsLine& line) -> Status {
    if (kind == LvsCheck::Kind::http && line.begins_block("url", 2)) return read_url(lines, check);
    if (line.is("connect_ip", 2) && address.empty())
      address = line.words[1];
    else if (line.is("connect_port", 2) && port.empty())
      port = line.words[1];
    else if (line.is("connect_timeout", 2) && base::parse_number(line.words[1], 1, kMostSeconds))
      check.timeout = *base::parse_number(line.words[1], 1, kMostSeconds);
    else
      return not_understood(line);
    return Unit{};
  });
  if (!done) return done.error();
  const auto target = endpoint_of(address, port);
  const bool asks =
      kind == LvsCheck::Kind::tcp || (!check.path.empty() && !check.status_codes.empty());
  if (!target || check.timeout == 0 || !asks)
    return error_at(title.number, "the check lacks an address, a port, a time, a path or a code");
  check.target = *target;
  return check;
}

Result<LvsCheck> read_check(const LvsLine& title, LvsLines& lines) {
  if (title.begins_block("MISC_CHECK", 2)) return read_misc(title, lines);
  if (title.begins_block("TCP_CHECK", 2)) return read_connecting(title, lines, LvsCheck::Kind::tcp);
  if (title.begins_block("HTTP_GET", 2)) return read_connecting(title, lines, LvsCheck::Kind::http);
  return not_understood(title);
}

}  // namespace

Result<LvsServer> read_server(const LvsLine& title, LvsLines& lines) {
  LvsServer server;
  server.line = title.number;
  server.place = title.begins_block("real_server", 4) ? endpoint_of(title.words[1], title.words[2])
                                                      : std::nullopt;
  if (!server.place) return not_understood(title);
  bool has_weight = false;
  const auto done = each_line(lines, [&](const LvsLine& line) -> Status {
    if (const auto weight = base::parse_number(line.words.back(), 0, kMostWeight);
        line.is("weight", 2) && weight && !has_weight) {
      server.weight = *weight;
      has_weight = true;
    } else if (const auto most =
                   base::parse_number(line.words.back(), 1, std::numeric_limits<int>::max());
               line.is("uthreshold", 2) && most && !server.most_connections) {
      server.most_connections = *most;
    } else if (!server.check) {
      auto check = read_check(line, lines);
      if (!check) return check.error();
      server.check = std::move(*check);
    } else {
      return not_understood(line);
    }
    return Unit{};
  });
  if (!done) return done.error();
  if (!has_weight) return error_at(title.number, "the real_server has no weight");
  return server;
}

}  // namespace keepalived
