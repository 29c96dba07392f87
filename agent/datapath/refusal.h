// Refusal: why the kernel did not take maps or program, as a sentence that helps.
#pragma once

#include <bpf/libbpf.h>

#include <string>

namespace datapath {

// `code`: errno of the load; `log`: what the verifier said, may be empty. Probes what `object`
// needs; the last lines of the log are logged at debug level.
std::string explain_refusal(int code, const bpf_object* object, const std::string& log);

// Capabilities that this process needs for bpf(2) and does not have, "CAP_BPF, CAP_NET_ADMIN";
// empty: all there.
std::string missing_capabilities();

}  // namespace datapath
