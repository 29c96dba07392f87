// What the API's reference says of every attribute, by hand: what it may be, what it is without
// being said, who may change it. One row is one attribute.
#pragma once

#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "agent/model/edit/edit.h"

namespace model {

using nlohmann::json;

enum Access { immutable_, mutable_ };
enum Presence { optional_, mandatory_ };

struct Row {
  Kind kind;
  std::string field;
  Presence presence;
  Access access;
  json by_default;                                // as shown
  std::vector<std::pair<json, json>> good;        // given, shown
  std::vector<std::pair<json, std::string>> bad;  // given, why (400)
  std::vector<json> not_yet = {};                 // 501
  json beside = json::object();                   // what else the resource needs to have it
};

inline const std::string kUuid = "d52c5bac-c0b1-4e78-bfdd-9bd34f40e545";
inline std::string longer(size_t n) { return std::string(n, 'x'); }

inline void PrintTo(const Row& row, std::ostream* out) { *out << row.field; }

// Before a reason that is the whole text.
inline const std::string kWhole = "whole: ";
inline const std::string kString = "Value should be string";
inline const std::string kInteger = "Value should be an integer";
inline std::string too_long(int n) {
  return "Value should have a maximum character requirement of " + std::to_string(n);
}

// Rows of usual types.
Row text_row(Kind kind, const std::string& field, int most, json by_default, Access access);
Row bool_row(Kind kind, const std::string& field, bool by_default);
Row int_row(Kind kind, const std::string& field, int64_t least, int64_t most, json by_default,
            Access access, Presence presence = optional_);
Row tags_row(Kind kind);

std::vector<Row> tls_and_l7_rows();
std::vector<Row> all_rows();

}  // namespace model
