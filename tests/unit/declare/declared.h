// A file, a model, and the requests between the two.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "agent/cli/declare/declare.h"
#include "tests/unit/model/house.h"

namespace model {

struct Declared : ::testing::Test {
  explicit Declared(json file) : wanted(std::move(file)) {}

  House h;      // its model is what is there
  json wanted;  // the file
  json& lb = wanted["loadbalancer"];

  std::vector<ApiRequest> requests() const;
  // What is wrong with the file; "accepted": nothing.
  std::string error() const;
  std::vector<std::string> changes() const;
  // Sends everything, as a client does; afterwards nothing differs.
  void apply();
};

}  // namespace model
