#include "tests/unit/cli/command.h"

#include <sys/wait.h>

#include <cstdio>
#include <fstream>

namespace cli::testing {

Exit run(const std::string& arguments) {
  const std::string command = "COLUMNS=100 " AMPHORA_XDP " " + arguments + " 2>&1";
  FILE* pipe = ::popen(command.c_str(), "r");
  Exit outcome;
  char bytes[4096];
  while (const size_t size = std::fread(bytes, 1, sizeof(bytes), pipe))
    outcome.out.append(bytes, size);
  const int status = ::pclose(pipe);
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

std::string Command::file_with(const std::string& text) {
  const std::string path = folder_.path("lb.json");
  std::ofstream(path) << text;
  return path;
}

}  // namespace cli::testing
