#include "haproxy/uploaded.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <set>
#include <string_view>

#include "base/ascii.h"
#include "base/file.h"
#include "haproxy/document.h"
#include "haproxy/quote.h"

namespace haproxy {

namespace {

using base::Error;
using base::Result;
using base::Status;
using base::Unit;
using Line = std::vector<std::string>;

// The controller's templates name it so, whatever its base_path is.
constexpr const char* kPingWrapper = "/var/lib/octavia/ping-wrapper.sh";
constexpr const char* kWrapperName = "/ping-wrapper.sh";

// First words of lines that load programs, change who HAProxy is, or what we say about it.
constexpr std::array<std::string_view, 17> kRefused{"program",
                                                    "lua-load",
                                                    "lua-load-per-thread",
                                                    "lua-prepend-path",
                                                    "chroot",
                                                    "uid",
                                                    "gid",
                                                    "setenv",
                                                    "presetenv",
                                                    "resetenv",
                                                    "unsetenv",
                                                    "master-worker",
                                                    "pidfile",
                                                    "localpeer",
                                                    "unix-bind",
                                                    "insecure-setuid-wanted",
                                                    "server-state-base"};

// Below `folder`, and no way out of it.
bool is_below(const std::string& path, const std::string& folder) {
  return path.starts_with(folder + "/") && path.find("/..") == std::string::npos;
}

bool is_stats_socket_of_users(const Line& words, const std::string& folder) {
  if (!is_below(words[2], folder)) return false;
  for (size_t i = 3; i < words.size(); i++) {
    if (words[i] == "expose-fd" || words[i] == "operator" || words[i] == "admin") return false;
  }
  return true;
}

// A socket of the file system, or one of ours.
bool is_no_address(const std::string& place) {
  return place.find('/') != std::string::npos || place.find('@') != std::string::npos;
}

std::optional<std::string> wrong_with(const Line& words, const std::string& folder) {
  const std::string& first = words[0];
  const auto second_is = [&words](std::string_view word) {
    return words.size() > 1 && words[1] == word;
  };
  if (std::find(kRefused.begin(), kRefused.end(), first) != kRefused.end())
    return first + " is not for an upload to say";
  if (first == "user" && !second_is("nobody")) return "the user can only be nobody";
  if (first == "stats" && second_is("socket") && words.size() > 2 &&
      !is_stats_socket_of_users(words, folder))
    return "a stats socket can only be one of level user in " + folder;
  if (first == "server-state-file" && words.size() > 1 && !is_below(words[1], folder))
    return "the file of server states can only be in " + folder;
  if (first == "external-check" && words.size() > 2 &&
      (words[1] != "command" || (words[2] != kPingWrapper && words[2] != folder + kWrapperName)))
    return std::string("the only external check is ") + kPingWrapper;
  if (first == "bind" && words.size() > 1 && is_no_address(words[1]))
    return "a frontend can only be at an address and a port";
  return std::nullopt;
}

// Calls `see` with the words of every line that has some.
void each_line(const Document& document,
               const std::function<void(uint32_t number, const Line& words)>& see) {
  for (uint32_t number = 1; number <= document.lines(); number++)
    if (const Words line = document.words(number); !line.words.empty()) see(number, line.words);
}

bool is_peer_name(std::string_view name) {
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return base::is_alphanumeric(c) || c == '_' || c == '-'; });
}

bool names_a_user(const std::string& text) {
  bool named = false;
  if (const Result<Document> document = Document::parse(text))
    each_line(*document, [&named](uint32_t, const Line& words) { named |= words[0] == "user"; });
  return named;
}

std::string text_of(const Document& document, const Section& section) {
  std::string text;
  for (uint32_t number = section.begin; number < section.end; number++)
    text += document.line(number);
  return text;
}

std::set<std::string> binds_of(const Document& document, const Section& section) {
  std::set<std::string> binds;
  for (uint32_t number = section.begin; number < section.end; number++) {
    const Words line = document.words(number);
    if (line.words.size() > 1 && line.words[0] == "bind") binds.insert(line.words[1]);
  }
  return binds;
}

}  // namespace

Status examine_upload(const Uploaded& uploaded, const std::string& folder) {
  if (!is_peer_name(uploaded.peer_name)) return Error{0, "no peer is called " + uploaded.peer_name};
  const Result<Document> document = Document::parse(uploaded.text);
  if (!document) return document.error();
  Status found = Unit{};
  each_line(*document, [&](uint32_t number, const Line& words) {
    const auto wrong = found ? wrong_with(words, folder) : std::nullopt;
    if (wrong) found = Error{0, "line " + std::to_string(number) + ": " + *wrong};
  });
  return found;
}

// It stands first: "localpeer" counts only before the peers. The limits of an upload are for a
// machine that it has to itself: where they are lower here, it is served within them.
std::string own_section(const Uploaded& uploaded, const Surroundings& around) {
  std::string text = "global\n    master-worker no-exit-on-failure\n    no strict-limits\n";
  if (!uploaded.peer_name.empty())
    text += "    localpeer " + haproxy::as_word(uploaded.peer_name) + "\n";
  // Octavia's texts always do; a worker of one that does not would stay root.
  if (!names_a_user(uploaded.text)) text += "    user nobody\n";
  if (!around.group_of_uploads.empty())
    text += "    group " + haproxy::as_word(around.group_of_uploads) + "\n";
  return text + "    stats socket " + haproxy::as_word(around.stats_socket) +
         " mode 600 level admin expose-fd listeners\n    stats timeout 1d\n    stats maxconn 32\n";
}

base::Endpoint place_of_peers() { return {*base::IpAddress::parse("127.0.0.1"), kPeersPort}; }

std::string with_own_peer_here(const Uploaded& uploaded) {
  const std::string octavias = ":" + std::to_string(kPeersPort);
  const Result<Document> document = Document::parse(uploaded.text);
  if (!document || uploaded.peer_name.empty()) return uploaded.text;
  std::string text;
  for (const Section& section : document->sections())
    for (uint32_t number = section.begin; number < section.end; number++) {
      std::string line(document->line(number));
      const Line words = document->words(number).words;
      const bool is_own = section.kind == "peers" && words.size() > 2 && words[0] == "peer" &&
                          words[1] == uploaded.peer_name && words[2].ends_with(octavias);
      const size_t place = is_own ? line.find(words[2]) : std::string::npos;
      if (place != std::string::npos) line.replace(place, words[2].size(), place_of_peers().text());
      text += line;
    }
  return text;
}

std::string server_state_file(const std::string& text) {
  std::string path;
  const Result<Document> document = Document::parse(text);
  if (!document) return path;
  each_line(*document, [&path](uint32_t, const Line& words) {
    if (words[0] == "server-state-file" && words.size() > 1) path = words[1];
  });
  return path;
}

std::string with_leaving_frontends(const std::string& running, const std::string& wanted,
                                   const std::set<base::Uuid>& moving) {
  const Result<Document> before = Document::parse(running), after = Document::parse(wanted);
  if (!before || !after) return wanted;
  const auto moves = [&moving](const Section& section) {
    const auto id = base::Uuid::parse(section.name);
    return section.kind == "frontend" && id && moving.contains(*id);
  };
  if (std::none_of(before->sections().begin(), before->sections().end(), moves)) return wanted;
  // Without anything of its own `wanted` has no section of defaults either.
  if (wanted.empty()) return running;
  std::set<std::string> names, binds;
  for (const Section& section : after->sections()) {
    names.insert(section.kind + " " + section.name);
    binds.merge(binds_of(*after, section));
  }
  std::string both = wanted;
  const auto add = [&](const Section& section) {
    if (!names.insert(section.kind + " " + section.name).second) return;
    both += "\n" + text_of(*before, section);
  };
  for (const Section& frontend : before->sections()) {
    if (!moves(frontend) || names.contains("frontend " + frontend.name)) continue;
    const auto places = binds_of(*before, frontend);
    const auto is_taken = [&binds](const std::string& place) { return binds.contains(place); };
    if (std::any_of(places.begin(), places.end(), is_taken)) continue;
    add(frontend);
    for (const Section& backend : before->sections())
      if (backend.kind == "backend" && backend.name.ends_with(":" + frontend.name)) add(backend);
  }
  return both;
}

Status write_ping_wrapper(const std::string& text) {
  const Result<Document> document = Document::parse(text);
  if (!document) return document.error();
  std::string path;
  each_line(*document, [&path](uint32_t, const Line& words) {
    if (words[0] == "external-check" && words.size() > 2 && words[1] == "command") path = words[2];
  });
  if (path.empty()) return Unit{};
  constexpr const char* kWrapper =
      "#!/bin/sh\n"
      "# Written by amphora-xdp-agent; changes are lost. HAProxy says whom to ask.\n"
      "exec /bin/ping -q -n -c 1 -w 1 -- \"$HAPROXY_SERVER_ADDR\" >/dev/null 2>&1\n";
  // ping then needs no privilege. Where it cannot be written, checks fail and say so.
  std::ofstream("/proc/sys/net/ipv4/ping_group_range") << "0 2147483647";
  const std::filesystem::path file(path);
  const auto done =
      base::replace_file(file.parent_path().string(), file.filename().string(), kWrapper, 0755);
  if (!done) return done.error();
  return ::chmod(path.c_str(), 0755) == 0 ? Status(Unit{}) : Error{errno, "chmod 0755 " + path};
}

}  // namespace haproxy
