#include "agent/cli/doctor/diagnosis.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include "agent/cli/doctor/checks.h"

namespace doctor {
namespace {

constexpr std::array kChecks{
    check_configuration, check_agent,      check_kernel,       check_bpffs,
    check_pins,          check_flow_table, check_xdp,          check_offloads,
    check_mtu,           check_queues,     check_sysctls,      check_programs,
    check_clock,         check_disk,       check_certificates, check_controllers};

constexpr std::array kGrades{Grade::ok, Grade::warn, Grade::fail, Grade::unseen};

auto count(const std::vector<Diagnosis>& diagnoses, Grade grade) {
  return std::ranges::count(diagnoses, grade, &Diagnosis::grade);
}

std::string harmless(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, '?');
  return text;
}

std::string line(const Diagnosis& diagnosis) {
  std::string out = text(diagnosis.grade);
  out.resize(8, ' ');
  out += diagnosis.check + (diagnosis.of.empty() ? "" : " " + diagnosis.of) + ": " + diagnosis.what;
  if (!diagnosis.remedy.empty()) out += "; " + diagnosis.remedy;
  return harmless(std::move(out)) + "\n";
}

}  // namespace

const char* text(Grade grade) {
  switch (grade) {
    case Grade::ok:
      return "ok";
    case Grade::warn:
      return "warn";
    case Grade::fail:
      return "fail";
    case Grade::unseen:
      return "unseen";
  }
  return "";
}

Diagnosis unseen(std::string check, std::string of, const base::Error& why) {
  const bool forbidden = why.code == EPERM || why.code == EACCES;
  return {std::move(check), std::move(of), Grade::unseen, why.message(),
          forbidden ? "run it as root" : ""};
}

std::vector<Diagnosis> diagnose(const Facts& facts) {
  std::vector<Diagnosis> out;
  for (const auto check : kChecks)
    for (Diagnosis& one : check(facts)) out.push_back(std::move(one));
  return out;
}

bool is_healthy(const std::vector<Diagnosis>& diagnoses) {
  return count(diagnoses, Grade::fail) == 0 && count(diagnoses, Grade::unseen) == 0;
}

std::string as_text(const std::vector<Diagnosis>& diagnoses) {
  std::string out;
  for (const Diagnosis& one : diagnoses) out += line(one);
  out += is_healthy(diagnoses) ? "healthy" : "not healthy";
  for (const Grade grade : kGrades)
    out += std::string(grade == Grade::ok ? ": " : ", ") + std::to_string(count(diagnoses, grade)) +
           " " + text(grade);
  return out + "\n";
}

nlohmann::json as_json(const std::vector<Diagnosis>& diagnoses) {
  nlohmann::json checks = nlohmann::json::array();
  for (const Diagnosis& one : diagnoses)
    checks.push_back({{"check", one.check},
                      {"of", one.of},
                      {"grade", text(one.grade)},
                      {"what", one.what},
                      {"remedy", one.remedy}});
  return {{"healthy", is_healthy(diagnoses)}, {"checks", std::move(checks)}};
}

}  // namespace doctor
