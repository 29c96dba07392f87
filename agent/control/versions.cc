#include "agent/control/versions.h"

#include <array>

namespace control {
namespace {

struct Version {
  const char* id;
  const char* status;
  const char* updated;
};

constexpr std::array kVersions{
    Version{"v2.0", "SUPPORTED", "2016-12-11T00:00:00Z"},
    Version{"v2.1", "SUPPORTED", "2018-04-20T00:00:00Z"},
    Version{"v2.2", "SUPPORTED", "2018-07-31T00:00:00Z"},
    Version{"v2.3", "SUPPORTED", "2018-12-18T00:00:00Z"},
    Version{"v2.4", "SUPPORTED", "2018-12-19T00:00:00Z"},
    Version{"v2.5", "SUPPORTED", "2019-01-21T00:00:00Z"},
    Version{"v2.6", "SUPPORTED", "2019-01-25T00:00:00Z"},
    Version{"v2.7", "SUPPORTED", "2018-01-25T12:00:00Z"},
    Version{"v2.8", "SUPPORTED", "2019-02-12T00:00:00Z"},
    Version{"v2.9", "SUPPORTED", "2019-03-04T00:00:00Z"},
    Version{"v2.10", "SUPPORTED", "2019-03-05T00:00:00Z"},
    Version{"v2.11", "SUPPORTED", "2019-06-24T00:00:00Z"},
    Version{"v2.12", "SUPPORTED", "2019-09-11T00:00:00Z"},
    Version{"v2.13", "SUPPORTED", "2019-09-13T00:00:00Z"},
    Version{"v2.14", "SUPPORTED", "2019-11-10T00:00:00Z"},
    Version{"v2.15", "SUPPORTED", "2020-03-10T00:00:00Z"},
    Version{"v2.16", "SUPPORTED", "2020-03-15T00:00:00Z"},
    Version{"v2.17", "SUPPORTED", "2020-04-29T00:00:00Z"},
    Version{"v2.18", "SUPPORTED", "2020-04-29T01:00:00Z"},
    Version{"v2.19", "SUPPORTED", "2020-05-12T00:00:00Z"},
    Version{"v2.20", "SUPPORTED", "2020-08-02T00:00:00Z"},
    Version{"v2.21", "SUPPORTED", "2020-09-03T00:00:00Z"},
    Version{"v2.22", "SUPPORTED", "2020-09-04T00:00:00Z"},
    Version{"v2.23", "SUPPORTED", "2020-09-07T00:00:00Z"},
    Version{"v2.24", "SUPPORTED", "2020-10-15T00:00:00Z"},
    Version{"v2.25", "SUPPORTED", "2021-10-02T00:00:00Z"},
    Version{"v2.26", "CURRENT", "2022-08-29T00:00:00Z"},
};

}  // namespace

nlohmann::json root_versions(const std::string& origin) {
  const std::string href = origin + "/v2";
  auto versions = nlohmann::json::array();
  for (const Version& version : kVersions)
    versions.push_back({{"id", version.id},
                        {"status", version.status},
                        {"updated", version.updated},
                        {"links", {{{"href", href}, {"rel", "self"}}}}});
  return {{"versions", versions}};
}

}  // namespace control
