// verifier_budget OBJECT BUDGET: loads each program of the object and compares what the verifier
// had to do with the budget, by the line of the newest kernel that is no newer than this one.
// Needs root.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/utsname.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

constexpr unsigned kLogStats = 4;                     // BPF_LOG_STATS
using Budget = std::map<std::string, unsigned long>;  // instructions, by program
using Version = std::pair<int, int>;

// "6.18" or "6.1.0-56-amd64"
Version version_of(const char* text) {
  Version version;
  std::sscanf(text, "%d.%d", &version.first, &version.second);
  return version;
}

Version this_kernel() {
  utsname name{};
  uname(&name);
  return version_of(name.release);
}

Budget read_budget(const char* file) {
  Budget budget;
  std::map<std::string, Version> newest;
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name, kernel;
    unsigned long most = 0;
    if (line.starts_with('#') || !(words >> name >> kernel >> most)) continue;
    const Version since = version_of(kernel.c_str());
    if (since > this_kernel() || since < newest[name]) continue;
    newest[name] = since;
    budget[name] = most;
  }
  return budget;
}

// "processed 47875 insns (limit 1000000) ..."; 0: there is no such line.
unsigned long instructions_of(const std::string& log) {
  constexpr std::string_view kWord = "processed ";
  const size_t at = log.find(kWord);
  return at == std::string::npos ? 0 : std::strtoul(&log[at + kWord.size()], nullptr, 10);
}

bool check(const std::string& name, unsigned long cost, const Budget& budget) {
  const auto most = budget.find(name);
  if (most == budget.end()) {
    std::printf("%s: no line in the budget; it costs %lu\n", name.c_str(), cost);
    return false;
  }
  std::printf("%s: %lu instructions of %lu\n", name.c_str(), cost, most->second);
  return cost > 0 && cost <= most->second;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return std::fprintf(stderr, "usage: %s OBJECT BUDGET\n", argv[0]), 2;
  const auto budget = read_budget(argv[2]);
  bpf_object* object = bpf_object__open(argv[1]);
  if (object == nullptr) return std::perror(argv[1]), 1;
  std::vector<char> log(1 << 20);
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, object) {
    bpf_program__set_log_level(program, kLogStats);
    bpf_program__set_log_buf(program, log.data(), log.size());
  }
  bool fits = bpf_object__load(object) == 0;
  if (!fits) std::fprintf(stderr, "%s", log.data());
  bpf_object__for_each_program(program, object) {
    fits = fits && check(bpf_program__name(program), instructions_of(log.data()), budget);
  }
  bpf_object__close(object);
  return fits ? 0 : 1;
}
