// Refusal: why the kernel did not take maps or program, as a sentence that helps.
#pragma once

#include <bpf/libbpf.h>

#include <string>

#include "base/result.h"

namespace datapath {

// `code`: errno of the load; `log`: what the verifier said, may be empty. Probes what `object`
// needs; the last lines of the log are logged at debug level.
std::string explain_refusal(int code, const bpf_object* object, const std::string& log);

// What `object` needs and this kernel does not have, "bpf_loop, maps of type queue"; empty: all
// there. Who may not call bpf(2) gets everything.
std::string missing_features(const bpf_object* object);

// Capabilities that this process needs for bpf(2) and does not have, "CAP_BPF, CAP_NET_ADMIN";
// empty: all there.
std::string missing_capabilities();

// Whether the kernel compiles the programs that it is given. Loads one that does nothing: the
// sysctl that says so is to be seen in the machine's own network namespace only.
base::Result<bool> compiles_programs();

}  // namespace datapath
