// `failover`: the VIPs of a pair go to its other node.
#include "agent/cli/commands.h"
#include "agent/cli/files.h"

namespace cli {

using nlohmann::json;

int failover(const Common& common) {
  const auto asked = Client(common.socket).ask("POST", "/v1/failover", json::object());
  if (const auto* failure = std::get_if<Failure>(&asked)) return fail(*failure);
  const Answer& answer = std::get<Answer>(asked);
  if (!answer.good()) return fail({kRefused, answer.fault()});
  const json told = answer.json();
  if (!told.is_object() || !told.contains("failover"))
    return fail({kUnreachable, "what listens on " + common.socket + " is not the agent."});
  if (common.format == Format::json) {
    print_json(told);
    return kDone;
  }
  const json& moved = told["failover"];
  print("the VIPs are at " + moved.value("active", "") + ", after " +
        std::to_string(moved.value("took_ms", 0)) + " ms\n");
  if (const auto left = moved.value("not_movable", uint64_t{0}); left > 0)
    print("  " + std::to_string(left) +
          " connections could not go along: their address towards the member stays here\n");
  return kDone;
}

}  // namespace cli
