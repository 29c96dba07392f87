// The command line.
#pragma once

namespace cli {

// Parses and runs; returns the exit code.
int run(int argc, char** argv);

}  // namespace cli
