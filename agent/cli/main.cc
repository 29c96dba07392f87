// amphora-xdp: the command line client of amphora-xdp-agent.
#include "agent/cli/command_line.h"

int main(int argc, char** argv) { return cli::run(argc, argv); }
