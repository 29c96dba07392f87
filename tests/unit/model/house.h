// House: a small model to try edits on, and shorthand for requests.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "agent/model/edit/edit.h"
#include "agent/model/show/json.h"
#include "agent/model/words.h"

namespace model {

using nlohmann::json;

// A store that has every certificate but "missing".
inline const Context kNow{Time{std::chrono::microseconds{1'700'000'000'123'456}},
                          [](const std::string& ref, CertificateUse) -> std::optional<std::string> {
                            if (ref == "missing") return "There is no certificate missing.";
                            return std::nullopt;
                          }};

// The model of an accepted request; a refused one ends the test.
Edited accepted(const Outcome<Edited>& outcome);
Fault refused(const Outcome<Edited>& outcome);  // {0, ""}: it was not

// Everything carried out.
Model settled(const Model& m);

// "203.0.113.10" with a TCP listener on port 80 whose default pool has one member,
// 192.0.2.11:8080; all ACTIVE.
struct House {
  House();
  Model model;
  Uuid lb, listener, pool, member;

  Outcome<Edited> make(Kind kind, json attributes) const;  // references are filled in
  Outcome<Edited> change(Kind kind, const json& attributes) const;
  Outcome<Edited> take(Kind kind, Cascade cascade = Cascade::no) const;
  Uuid id(Kind kind) const;
  // With an HTTP monitor of the pool; what changes or takes one has it first.
  House watched() const;
  // With an HTTP listener on port 81 that has a REJECT policy with a rule.
  House with_policy() const;

 private:
  Uuid parent(Kind kind) const;
  bool lacks(Kind kind) const;
  House with(Kind kind) const;
};

json show_one(const Model& m, Kind kind, const Uuid& id);

inline void PrintTo(const Fault& fault, std::ostream* out) {
  *out << fault.status << ": " << fault.text;
}

// "status: text" of a refusal.
MATCHER_P2(IsFault, status, text, std::to_string(status) + ": " + ::testing::PrintToString(text)) {
  return arg.status == status && std::string(arg.text) == std::string(text);
}

}  // namespace model
