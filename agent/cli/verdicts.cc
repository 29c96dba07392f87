// `verdicts`: what became of the packets.
#include "agent/cli/commands.h"
#include "agent/cli/files.h"
#include "agent/cli/table.h"

namespace cli {
namespace {

using nlohmann::json;

bool is(const json& listener, const std::string& which) {
  return text_of(listener, "listener_id") == which || text_of(listener, "listener_name") == which;
}

void add_rows(std::vector<Row>& rows, const std::string& of, const json& verdicts, bool all) {
  for (const json& verdict : verdicts) {
    const uint64_t packets = verdict.value("packets", uint64_t{0});
    if (packets == 0 && !all) continue;
    rows.push_back(
        {of, text_of(verdict, "verdict"), text_of(verdict, "action"), std::to_string(packets)});
  }
}

}  // namespace

int verdicts(const Common& common, const VerdictsOptions& options) {
  const auto got = Client(common.socket).get("/v1/verdicts");
  if (const auto* failure = std::get_if<Failure>(&got)) return fail(*failure);
  const json& body = std::get<json>(got);
  json chosen = json::array();
  for (const json& listener : body.value("listeners", json::array()))
    if (options.listener.empty() || is(listener, options.listener)) chosen.push_back(listener);
  if (!options.listener.empty() && chosen.empty())
    return fail({kRefused, "no packets are counted for a listener with the id or name " +
                               options.listener + ": `amphora-xdp show listener` lists them."});
  if (common.format == Format::json) {
    print_json(options.listener.empty() ? body : json{{"listeners", chosen}});
    return kDone;
  }
  std::vector<Row> rows;
  if (options.listener.empty() && !options.by_listener) {
    add_rows(rows, "(all packets)", body.value("verdicts", json::array()), options.all);
  } else {
    for (const json& listener : chosen)
      add_rows(rows, name_or_id(listener, "listener_name", "listener_id"),
               listener.value("verdicts", json::array()), options.all);
  }
  print(render({{"LISTENER"},
                {"VERDICT", Column::Fit::whole},
                {"ACTION", Column::Fit::whole},
                {"PACKETS", Column::Fit::number}},
               rows, terminal_width()));
  return kDone;
}

}  // namespace cli
