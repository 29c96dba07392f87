// `flows`: who talks to whom through us.
#include <unistd.h>

#include <cstdio>

#include "agent/cli/commands.h"
#include "agent/cli/files.h"
#include "agent/cli/table.h"

namespace cli {
namespace {

using nlohmann::json;

constexpr uint64_t kTableLimit = 1000;  // a table is held until its widths are known

std::string target(const FlowsOptions& options, uint64_t limit) {
  std::string query;
  const auto add = [&query](const char* name, const std::string& value) {
    if (value.empty()) return;
    query += (query.empty() ? "?" : "&") + std::string(name) + "=" + percent_encode(value);
  };
  add("client", options.client);
  add("vip", options.vip);
  add("member", options.member);
  add("listener", options.listener);
  add("protocol", options.protocol);
  add("state", options.state);
  if (limit != 0) add("limit", std::to_string(limit));
  return "/v1/flows" + query;
}

Row row(const json& flow) {
  return {text_of(flow, "protocol"),
          text_of(flow, "state"),
          text_of(flow, "client"),
          text_of(flow, "vip"),
          text_of(flow, "member"),
          name_or_id(flow, "listener_name", "listener_id"),
          short_duration(flow.value("idle_ms", uint64_t{0})),
          short_number(flow.value("bytes_in", uint64_t{0})),
          short_number(flow.value("bytes_out", uint64_t{0}))};
}

int print_lines(const Common& common, const FlowsOptions& options) {
  const auto each = [](std::string_view line) { print(std::string(line) + "\n"); };
  const auto got = Client(common.socket).stream(target(options, options.limit), each);
  if (const auto* failure = std::get_if<Failure>(&got)) return fail(*failure);
  return kDone;
}

int print_table(const Common& common, const FlowsOptions& options) {
  const uint64_t limit = options.limit == 0 ? kTableLimit : options.limit;
  std::vector<Row> rows;
  const auto each = [&rows](std::string_view line) {
    const json flow = json::parse(line, nullptr, false);
    if (flow.is_object()) rows.push_back(row(flow));
  };
  // One more than is shown, to know whether there is more.
  const auto got = Client(common.socket).stream(target(options, limit + 1), each);
  if (const auto* failure = std::get_if<Failure>(&got)) return fail(*failure);
  const bool more = rows.size() > limit;
  if (more) rows.resize(limit);
  constexpr auto kWhole = Column::Fit::whole;
  constexpr auto kNumber = Column::Fit::number;
  std::string text = render({{"PROTO", kWhole},
                             {"STATE"},
                             {"CLIENT"},
                             {"VIP"},
                             {"MEMBER"},
                             {"LISTENER"},
                             {"IDLE", kNumber},
                             {"IN", kNumber},
                             {"OUT", kNumber}},
                            rows, terminal_width());
  text += std::to_string(rows.size()) + (rows.size() == 1 ? " flow" : " flows") +
          (more ? "; there are more: narrow them down, or use --limit or --json\n" : "\n");
  print(text);
  return kDone;
}

}  // namespace

int flows(const Common& common, const FlowsOptions& options) {
  if (common.format == Format::json) return print_lines(common, options);
  for (;;) {
    if (options.watch != 0 && ::isatty(STDOUT_FILENO) == 1) print("\033[H\033[2J");
    const int code = print_table(common, options);
    if (code != kDone || options.watch == 0) return code;
    std::fflush(stdout);
    ::sleep(static_cast<unsigned>(options.watch));
  }
}

}  // namespace cli
