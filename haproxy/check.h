// HAProxy's opinion of a configuration, without touching the one that serves.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/result.h"
#include "haproxy/haproxy_spec.h"
#include "haproxy/process.h"

namespace haproxy {

// Names of files and folders that last as long as a check does begin so.
inline constexpr const char* kCheckPrefix = "check-";

// `haproxy -c` of a text in one or more files, which are written to `folder` for as long as it
// takes. The error is what HAProxy says; it calls the last file haproxy.cfg. Blocks, from any
// thread, up to 15 s.
base::Status check(const std::string& binary, const std::string& folder,
                   const std::vector<std::string>& files);

// What HAProxy says against a Spec that is to be served by one of `root` (see Instances); empty: it
// would take it. The error: it could not be asked, ETIMEDOUT if not within `limit`. Nothing is
// started or changed. Blocks, from any thread.
base::Result<std::string> objection(const Paths& root, const Spec& spec,
                                    std::chrono::milliseconds limit);

// Whether Process::apply() would take the upload: what examine_upload() or HAProxy says. Nothing is
// started or changed. Blocks, from any thread.
base::Status check_upload(const Paths& paths, const Uploaded& uploaded);

// HAProxy's alerts in a log, without their heads; if there are none, a few words that say so.
std::string alerts(const std::string& log);

}  // namespace haproxy
