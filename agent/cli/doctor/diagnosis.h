// What facts say about a machine: one diagnosis for each thing that was looked at. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "agent/cli/doctor/facts.h"

namespace doctor {

enum class Grade {
  ok,
  warn,    // it works, and could work better or will soon not
  fail,    // traffic, changes or the pair suffer
  unseen,  // nobody can say: it could not be looked at
};

const char* text(Grade grade);  // "ok", "warn", "fail", "unseen"

struct Diagnosis {
  std::string check;  // "mtu"
  std::string of;     // what it was looked at of, "eth1"; "": the machine
  Grade grade = Grade::ok;
  std::string what;    // what was seen
  std::string remedy;  // what to do; "": nothing, or nobody can know

  friend bool operator==(const Diagnosis&, const Diagnosis&) = default;
};

// In the order in which one would look for a fault: first what everything else needs.
std::vector<Diagnosis> diagnose(const Facts& facts);

// Nothing has failed, and everything could be looked at.
bool is_healthy(const std::vector<Diagnosis>& diagnoses);

// A line each, and one that sums up. Control characters are shown as '?'.
std::string as_text(const std::vector<Diagnosis>& diagnoses);
nlohmann::json as_json(const std::vector<Diagnosis>& diagnoses);

}  // namespace doctor
