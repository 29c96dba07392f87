// Certificates in a folder of the HAProxy that uses them, named by what is in them: the files of a
// text that was accepted once stay as they were, whatever becomes of those that they came from.
#pragma once

#include <string>

#include "base/result.h"
#include "haproxy/haproxy_spec.h"

namespace haproxy {

// The same with the files in `folder`, which is made, and a crt-list where one is needed. Error:
// one is not there, or holds something else than its fingerprint says.
base::Result<Spec> with_own_pems(Spec spec, const std::string& folder);

// Removes from `folder` what `spec`, as with_own_pems() gave it, does not name.
void keep_only_pems_of(const Spec& spec, const std::string& folder);

}  // namespace haproxy
