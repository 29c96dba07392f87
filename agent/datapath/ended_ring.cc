#include "agent/datapath/ended_ring.h"

#include <bpf/libbpf.h>

#include <cerrno>

namespace datapath {

namespace {

int take(void* context, void* data, size_t size) {
  const auto* tell = *static_cast<const EndedRing::Tell**>(context);
  if (size >= sizeof(lb_ended)) (*tell)(*static_cast<const lb_ended*>(data));
  return 0;
}

}  // namespace

void EndedRing::Free::operator()(ring_buffer* ring) const { ring_buffer__free(ring); }

base::Result<EndedRing> EndedRing::map(int descriptor) {
  EndedRing ended;
  ended.tell_ = std::make_unique<const Tell*>(nullptr);
  ended.ring_.reset(ring_buffer__new(descriptor, take, ended.tell_.get(), nullptr));
  if (!ended.ring_) return base::Error{errno, "map lb_ended"};
  return ended;
}

void EndedRing::read(const Tell& tell) {
  if (!ring_) return;
  *tell_ = &tell;
  ring_buffer__consume(ring_.get());
}

}  // namespace datapath
