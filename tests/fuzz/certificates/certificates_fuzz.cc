// Any bytes at all as a certificate: read, or refused with a reason.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "agent/certificates/bundle.h"

namespace {

void check(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)certificates::name_of(std::string(bytes.substr(0, 300)));
  const auto bundle = certificates::read_bundle(bytes);
  if (!bundle) {
    check(!bundle.error().what.empty());
    return 0;
  }
  check(bundle->about.parts > 0 && bundle->about.fingerprint.size() == 64);
  // What is normal stays as it is: what HAProxy reads is what was understood.
  const auto again = certificates::read_bundle(bundle->pem.text());
  check(again.ok() && again->sum == bundle->sum && again->about == bundle->about);
  (void)certificates::check_validity(bundle->about, certificates::Time{});
  return 0;
}
