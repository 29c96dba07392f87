// What a list of the API is of, as far as queries name it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace model {

struct Listable {
  std::string plural, links;  // the keys of the answer
  std::string id = "id";      // the attribute that markers name
  nlohmann::json example;     // one, as it is shown: its attributes are filters and sort keys
  // Further names that an attribute has in queries: {"load_balancer_id", "loadbalancers"}. One that
  // is shown as a list of resources stands for their ids; "" is the parent's id.
  std::vector<std::pair<std::string, std::string>> aliases = {};
};

}  // namespace model
