#include <algorithm>

#include "agent/certificates/certificates_spec.h"
#include "base/ascii.h"

namespace certificates {
namespace {

constexpr size_t kLongest = 128;  // with what the store appends, still a file name

bool may_be_named(char c) { return base::is_alphanumeric(c) || c == '.' || c == '_' || c == '-'; }

}  // namespace

std::optional<std::string> name_of(const std::string& reference) {
  std::string name = reference;
  while (name.ends_with('/')) name.pop_back();
  if (const size_t slash = name.rfind('/'); slash != std::string::npos) name.erase(0, slash + 1);
  if (name.empty() || name.size() > kLongest || name[0] == '.') return std::nullopt;
  if (!std::ranges::all_of(name, may_be_named)) return std::nullopt;
  return name;
}

std::string text(Use use) {
  switch (use) {
    case Use::identity:
      return "identity";
    case Use::authorities:
      return "authorities";
    case Use::revocations:
      return "revocations";
  }
  return "";
}

}  // namespace certificates
