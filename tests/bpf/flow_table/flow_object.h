// FlowObject: a BPF object that includes bpf/flow_table.h, loaded with a table of its own size.
#pragma once

#include <bpf/libbpf.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "agent/datapath/flow_memory.h"
#include "base/result.h"

namespace flow_test {

struct Sizes {
  uint32_t lines = 64;  // powers of two
  uint32_t lines6 = 64;
  uint32_t rings = 1;                           // of half-open flows, in each family
  std::map<std::string, uint32_t> others = {};  // entries of further maps, by name
};

// `const volatile` variables of the program, by name.
using Constants = std::map<std::string, uint64_t>;

class FlowObject {
 public:
  static base::Result<FlowObject> load(const std::string& path, const Sizes& sizes,
                                       Constants constants = {});

  int map(const char* name) const;      // its descriptor, borrowed
  int program(const char* name) const;  // the same
  base::Result<datapath::FlowMemory> memory() const;

 private:
  struct Close {
    void operator()(bpf_object* object) const { bpf_object__close(object); }
  };
  explicit FlowObject(bpf_object* object) : object_(object) {}

  std::unique_ptr<bpf_object, Close> object_;
};

// Runs the program so many times on one small frame; what the last run returned.
base::Result<uint32_t> run(int program, int repeat = 1);

}  // namespace flow_test
