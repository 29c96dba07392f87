// `doctor`: whether this machine is fit to balance, and what to do if not.
#include "agent/cli/commands.h"
#include "agent/cli/doctor/diagnosis.h"
#include "agent/cli/files.h"
#include "agent/cli/look/look.h"

namespace cli {
namespace {

doctor::Seen<nlohmann::json> ask_agent(const std::string& socket) {
  if (auto able = look::can_ask(socket); !able) return able.error();
  auto got = Client(socket).get("/v1/status");
  if (const auto* failure = std::get_if<Failure>(&got)) return base::Error{0, failure->what};
  nlohmann::json& status = std::get<nlohmann::json>(got);
  if (!status.is_object() || !status.contains("reconcile"))
    return base::Error{0, "what listens on " + socket + " is not the agent"};
  return std::move(status);
}

}  // namespace

int doctor(const Common& common, const DoctorOptions& options) {
  doctor::Facts facts = look::look_around({options.config, options.amphora_conf});
  facts.version = AMPHORA_XDP_VERSION;
  facts.agent = ask_agent(common.socket_given ? common.socket : facts.configuration.control_socket);
  const auto diagnoses = doctor::diagnose(facts);
  if (common.format == Format::json)
    print_json(doctor::as_json(diagnoses));
  else
    print(doctor::as_text(diagnoses));
  return doctor::is_healthy(diagnoses) ? kDone : kRefused;
}

}  // namespace cli
