// Of the machine around the datapath: programs, clock, disk, certificates, controllers.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>

#include "agent/cli/doctor/checks.h"

namespace doctor {
namespace {

// Octavia changes an amphora's certificate two weeks before its end.
constexpr std::chrono::days kSoon{10};
constexpr uint64_t kMiB = 1024 * 1024;
constexpr uint64_t kLeastBytes = 16 * kMiB, kFewBytes = 128 * kMiB;
constexpr uint64_t kLeastFiles = 64;

std::string date(Time time) {
  const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(time)};
  char text[32];
  std::snprintf(text, sizeof(text), "%04d-%02u-%02u", static_cast<int>(day.year()),
                static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
  return text;
}

std::string size(uint64_t bytes) {
  if (bytes < 10 * 1024 * kMiB) return std::to_string(bytes / kMiB) + " MiB";
  return std::to_string(bytes / kMiB / 1024) + " GiB";
}

Diagnosis check_program(const Program& program, bool is_needed) {
  if (program.version.ok())
    return {"program", program.name, Grade::ok, "version " + *program.version, ""};
  if (program.version.why_not().code == EACCES)
    return unseen("program", program.name, program.version.why_not());
  return {"program", program.name, is_needed ? Grade::fail : Grade::warn,
          program.version.why_not().message(), "apt install " + program.package};
}

// Whether something is served by HAProxy; of an agent that does not answer, nobody knows.
bool needs_haproxy(const Facts& facts) {
  if (!facts.agent.ok()) return false;
  const auto placements = facts.agent->value("placements", nlohmann::json::array());
  return std::ranges::any_of(placements, [](const nlohmann::json& placement) {
    return placement.value("placement", "") == "haproxy";
  });
}

Diagnosis check_certificate(const Certificate& certificate, Time now) {
  const auto is = [&](Grade grade, std::string what, std::string remedy) {
    return Diagnosis{"certificate", certificate.file, grade, std::move(what), std::move(remedy)};
  };
  if (!certificate.about.ok()) {
    const base::Error& why = certificate.about.why_not();
    if (why.code == EACCES || why.code == EPERM)
      return unseen("certificate", certificate.file, why);
    return is(Grade::fail, why.message(), "put one there that can be used");
  }
  const certificates::About& about = *certificate.about;
  if (about.not_before > now)
    return is(Grade::fail, about.subject + " is not valid before " + date(about.not_before),
              "set the clock, or wait");
  if (!about.not_after) return is(Grade::ok, about.subject + " has no end", "");
  const std::string end = about.subject + " is valid until " + date(*about.not_after);
  if (*about.not_after <= now)
    return is(Grade::fail, about.subject + " has expired on " + date(*about.not_after),
              "put a new one in its place");
  if (*about.not_after - now < kSoon) return is(Grade::warn, end, "put a new one in its place");
  return is(Grade::ok, end, "");
}

Diagnosis check_controller(const Controller& controller, bool agent_sends) {
  const std::string name = controller.address.text();
  const std::string look = "look at the routes and the firewall of the management network";
  if (!controller.no_route.empty())
    return {"controller", name, Grade::fail, controller.no_route, look};
  if (!controller.next_hop_answers.ok())
    return unseen("controller", name, controller.next_hop_answers.why_not());
  if (*controller.next_hop_answers)
    return {"controller", name, Grade::ok, "there is a way to it, and the next hop answers", ""};
  // Nobody has asked for it lately, if no heartbeats leave.
  if (!agent_sends)
    return {"controller", name, Grade::warn,
            "there is a way to it; whether the next hop answers is seen when heartbeats leave",
            "start the agent"};
  return {"controller", name, Grade::fail, "the next hop towards it does not answer", look};
}

}  // namespace

Diagnoses check_programs(const Facts& facts) {
  Diagnoses out;
  for (const Program& program : facts.programs)
    out.push_back(check_program(program, program.name == "keepalived" ? facts.configuration.is_pair
                                                                      : needs_haproxy(facts)));
  return out;
}

Diagnoses check_clock(const Facts& facts) {
  if (facts.is_clock_synchronised) return {{"clock", "", Grade::ok, "synchronised", ""}};
  return {{"clock", "", Grade::warn, "nothing synchronises it: certificates and logs depend on it",
           "apt install systemd-timesyncd, or chrony"}};
}

Diagnoses check_disk(const Facts& facts) {
  if (!facts.disk.ok()) return {unseen("disk", "", facts.disk.why_not())};
  const Disk& disk = *facts.disk;
  const std::string remedy = "make room: no change is accepted that cannot be stored";
  if (disk.files != 0 && disk.free_files < kLeastFiles)
    return {{"disk", disk.folder, Grade::fail, std::to_string(disk.free_files) + " more files fit",
             remedy}};
  const Grade grade = disk.free_bytes < kLeastBytes ? Grade::fail
                      : disk.free_bytes < kFewBytes ? Grade::warn
                                                    : Grade::ok;
  return {{"disk", disk.folder, grade,
           size(disk.free_bytes) + " of " + size(disk.bytes) + " are free",
           grade == Grade::ok ? "" : remedy}};
}

Diagnoses check_certificates(const Facts& facts) {
  Diagnoses out;
  for (const Certificate& certificate : facts.certificates)
    out.push_back(check_certificate(certificate, facts.now));
  return out;
}

Diagnoses check_controllers(const Facts& facts) {
  Diagnoses out;
  for (const Controller& controller : facts.controllers)
    out.push_back(check_controller(controller, facts.agent.ok()));
  return out;
}

}  // namespace doctor
