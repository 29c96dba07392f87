// Shell commands of tests.
#pragma once

#include <string>

namespace test {

// Both outputs of a command, in the calling thread's namespace; the test fails if it does.
std::string sh(const std::string& command);

}  // namespace test
