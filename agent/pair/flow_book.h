// FlowBook: where the flows that a node is told of are here. Named by their place at the other
// node, so that what is late can never mean a newer flow. Pure.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "agent/pair/frames.h"

namespace pair {

// Lines of the two tables of a set of maps.
struct TableSizes {
  uint32_t lines4 = 0, lines6 = 0;

  uint32_t of(base::Family family) const { return family == base::Family::ipv6 ? lines6 : lines4; }
};

// A forward line of this node, in one of its generations.
struct Place {
  uint32_t line = 0;
  uint32_t generation = 0;

  friend bool operator==(const Place&, const Place&) = default;
};

class FlowBook {
 public:
  // `theirs` is bounded by who asks: room is taken only as far as it is used, 16 bytes a line.
  FlowBook(const TableSizes& theirs, const TableSizes& ours);

  bool may_be(const Name& name) const { return name.line < theirs_.of(name.family); }

  // All that follow: of a name that may be.
  std::optional<Place> find(const Name& name) const;
  // Named by this walk, too.
  void put(const Name& name, const Place& place);
  void touch(const Name& name);
  // The flow's place, if it has no other name: one whose end was lost may live on by a newer one.
  std::optional<Place> erase(const Name& name);
  // The same of the flow that had this line before.
  std::optional<Place> erase_former(const Name& name);

  void begin_walk() { walk_++; }
  // What was not named since begin_walk() is forgotten, and told if it has no other name.
  void end_walk(const std::function<void(base::Family, const Place&)>& over);

  // Whether a line of this node is in the book.
  bool has(base::Family family, uint32_t line) const;
  size_t size() const { return size_; }

 private:
  struct Entry {
    uint32_t generation;
    uint32_t line, generation_here;
    uint32_t walk;  // that named it last; 0: nothing is here
  };
  struct Free {
    void operator()(Entry* entries) const { std::free(entries); }
  };

  Entry* entry(const Name& name) const;
  std::optional<Place> forget(base::Family family, Entry& entry);

  struct Names {
    uint32_t generation;  // that is named: of others the flow is over
    uint32_t count;
  };

  TableSizes theirs_;
  uint32_t walk_ = 1;
  size_t size_ = 0;
  std::unique_ptr<Entry[], Free> entries_[2];  // by family
  std::vector<Names> here_[2];                 // how many entries name a line of this node
};

}  // namespace pair
