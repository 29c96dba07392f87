// Skeleton: an object of BPF programs and maps as bpftool makes them for C, destroyed with it.
#pragma once

#include <memory>

namespace datapath {

template <class Object>
struct DestroySkeleton {
  void operator()(Object* object) const { Object::destroy(object); }
};
template <class Object>
using Skeleton = std::unique_ptr<Object, DestroySkeleton<Object>>;

}  // namespace datapath
