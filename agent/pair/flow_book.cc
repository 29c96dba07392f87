#include "agent/pair/flow_book.h"

#include <utility>

namespace pair {

namespace {

size_t table_of(base::Family family) { return family == base::Family::ipv6 ? 1 : 0; }

}  // namespace

// calloc: pages that nobody writes are not there.
FlowBook::FlowBook(const TableSizes& theirs, const TableSizes& ours) : theirs_(theirs) {
  for (const auto family : {base::Family::ipv4, base::Family::ipv6}) {
    entries_[table_of(family)].reset(
        static_cast<Entry*>(std::calloc(theirs.of(family), sizeof(Entry))));
    here_[table_of(family)].resize(ours.of(family));
  }
}

FlowBook::Entry* FlowBook::entry(const Name& name) const {
  const auto& entries = entries_[table_of(name.family)];
  return entries && may_be(name) ? &entries[name.line] : nullptr;
}

std::optional<Place> FlowBook::forget(base::Family family, Entry& entry) {
  const Place place{entry.line, entry.generation_here};
  Names& names = here_[table_of(family)][entry.line];
  entry = {};
  size_--;
  if (names.generation != place.generation || --names.count > 0) return std::nullopt;
  return place;
}

std::optional<Place> FlowBook::find(const Name& name) const {
  const Entry* known = entry(name);
  if (known == nullptr || known->walk == 0 || known->generation != name.generation)
    return std::nullopt;
  return Place{known->line, known->generation_here};
}

void FlowBook::put(const Name& name, const Place& place) {
  Entry* known = entry(name);
  auto& here = here_[table_of(name.family)];
  if (known == nullptr || place.line >= here.size()) return;
  if (known->walk != 0) forget(name.family, *known);
  *known = {name.generation, place.line, place.generation, walk_};
  Names& names = here[place.line];
  if (names.generation != place.generation) names = {place.generation, 0};
  names.count++;
  size_++;
}

void FlowBook::touch(const Name& name) {
  if (find(name)) entry(name)->walk = walk_;
}

std::optional<Place> FlowBook::erase(const Name& name) {
  return find(name) ? forget(name.family, *entry(name)) : std::nullopt;
}

std::optional<Place> FlowBook::erase_former(const Name& name) {
  Entry* known = entry(name);
  if (known == nullptr || known->walk == 0 || known->generation == name.generation)
    return std::nullopt;
  return forget(name.family, *known);
}

void FlowBook::end_walk(const std::function<void(base::Family, const Place&)>& over) {
  for (const auto family : {base::Family::ipv4, base::Family::ipv6}) {
    const auto& entries = entries_[table_of(family)];
    for (uint32_t line = 0; entries && line < theirs_.of(family); line++) {
      Entry& known = entries[line];
      if (known.walk == 0 || known.walk == walk_) continue;
      if (const auto place = forget(family, known)) over(family, *place);
    }
  }
}

bool FlowBook::has(base::Family family, uint32_t line) const {
  const auto& here = here_[table_of(family)];
  return line < here.size() && here[line].count > 0;
}

}  // namespace pair
