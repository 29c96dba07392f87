// What the lab's client measured, as JSON on standard output.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

namespace lab {

// One member's share. `failed` counts connections (requests: answers) that ended in an error after
// this member had been found to be at the other end.
struct Share {
  uint64_t answered = 0;
  uint64_t failed = 0;
};

struct Report {
  std::map<std::string, Share> members;    // by the name the member answers with
  std::map<std::string, uint64_t> errors;  // by "operation: reason"
  uint64_t connections = 0;                // begun
  uint64_t requests = 0;                   // answered correctly

  void fail(const std::string& member, const std::string& why) {
    ++errors[why];
    if (!member.empty()) ++members[member].failed;
  }

  uint64_t error_count() const {
    uint64_t sum = 0;
    for (const auto& [why, count] : errors) sum += count;
    return sum;
  }

  nlohmann::json json() const {
    nlohmann::json by_member = nlohmann::json::object();
    for (const auto& [name, share] : members)
      by_member[name] = {{"answered", share.answered}, {"failed", share.failed}};
    return {{"connections", connections},
            {"requests", requests},
            {"members", by_member},
            {"errors", errors},
            {"failed", error_count()}};
  }
};

}  // namespace lab
