// The binary against the control socket, with a machine that is not there.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/unit/control/fakes.h"

namespace cli::testing {

struct Exit {
  int code = -1;
  std::string out;  // both streams
};

Exit run(const std::string& arguments);

class Command : public ::testing::Test {
 protected:
  Exit cli(const std::string& arguments) {
    return run("--socket " + agent_.server.path() + " " + arguments);
  }
  std::string file(const nlohmann::json& content) { return file_with(content.dump()); }
  std::string file_with(const std::string& text);

  control::testing::TemporaryFolder folder_;
  control::testing::FakeAgent agent_;
};

}  // namespace cli::testing
