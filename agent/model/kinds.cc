#include "agent/model/kinds.h"

namespace model {

const KindNames& names_of(Kind kind) {
  for (const KindNames& names : kKinds)
    if (names.kind == kind) return names;
  __builtin_unreachable();  // every kind has a row
}

Fault not_found(Kind kind, std::string_view id) {
  return {404, std::string(names_of(kind).title) + " " + std::string(id) + " not found."};
}

}  // namespace model
