// verifier_budget OBJECT BUDGET: loads each program of the object and compares what the verifier
// had to do, and the stack of the deepest chain of calls, with the budget, by the line of the
// newest kernel that is no newer than this one. Needs root.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

constexpr unsigned kLogStats = 4;  // BPF_LOG_STATS
struct Cost {
  unsigned long instructions = 0;
  unsigned long stack = 0;  // bytes
};
using Budget = std::map<std::string, Cost>;  // by program
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
    Cost most;
    if (line.starts_with('#') || !(words >> name >> kernel >> most.instructions >> most.stack))
      continue;
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

// "stack depth 184+0+16", of each function in the order of the program; rounded as every kernel but
// the newest does, so that what fits here fits there.
std::vector<unsigned long> frames_of(const std::string& log) {
  constexpr std::string_view kWords = "stack depth ";
  std::vector<unsigned long> frames;
  size_t at = log.find(kWords);
  if (at == std::string::npos) return frames;
  std::istringstream numbers(log.substr(at + kWords.size()));
  char plus = '+';
  for (unsigned long bytes = 0; plus == '+' && numbers >> bytes; numbers.get(plus))
    frames.push_back((std::max(bytes, 1ul) + 31) / 32 * 32);
  return frames;
}

// Calls, and functions that are handed over to be called.
bool names_function(const bpf_insn& insn) {
  return (insn.code == (BPF_JMP | BPF_CALL) && insn.src_reg == BPF_PSEUDO_CALL) ||
         (insn.code == (BPF_LD | BPF_IMM | BPF_DW) && insn.src_reg == BPF_PSEUDO_FUNC);
}

// Of the deepest chain; 0: the log does not fit the program.
unsigned long stack_of(std::span<const bpf_insn> program, const std::string& log) {
  const auto target = [&](size_t at) { return at + 1 + static_cast<size_t>(program[at].imm); };
  std::set<size_t> found{0};
  for (size_t at = 0; at < program.size(); ++at)
    if (names_function(program[at])) found.insert(target(at));
  const std::vector<size_t> begins(found.begin(), found.end());
  const auto frames = frames_of(log);
  if (frames.size() != begins.size()) return 0;
  std::function<unsigned long(size_t)> depth = [&](size_t function) {
    const size_t end = function + 1 < begins.size() ? begins[function + 1] : program.size();
    unsigned long below = 0;
    for (size_t at = begins[function]; at < end; ++at) {
      if (!names_function(program[at])) continue;
      const auto called = std::find(begins.begin(), begins.end(), target(at));
      below = std::max(below, depth(static_cast<size_t>(called - begins.begin())));
    }
    return frames[function] + below;
  };
  return depth(0);
}

bool check(const std::string& name, const Cost& cost, const Budget& budget) {
  const auto most = budget.find(name);
  if (most == budget.end()) {
    std::printf("%s: no line in the budget; it costs %lu %lu\n", name.c_str(), cost.instructions,
                cost.stack);
    return false;
  }
  std::printf("%s: %lu instructions of %lu, %lu bytes of stack of %lu\n", name.c_str(),
              cost.instructions, most->second.instructions, cost.stack, most->second.stack);
  return cost.instructions > 0 && cost.instructions <= most->second.instructions &&
         cost.stack > 0 && cost.stack <= most->second.stack;
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
    const std::span code(bpf_program__insns(program), bpf_program__insn_cnt(program));
    const Cost cost{instructions_of(log.data()), stack_of(code, log.data())};
    fits = fits && check(bpf_program__name(program), cost, budget);
  }
  bpf_object__close(object);
  return fits ? 0 : 1;
}
