#include "agent/datapath/ring_reader.h"

#include <bpf/libbpf.h>

#include <cerrno>
#include <string>

namespace datapath {

namespace {

template <class T>
int take(void* context, void* data, size_t size) {
  const auto* tell = *static_cast<const typename RingReader<T>::Tell**>(context);
  if (size >= sizeof(T)) (*tell)(*static_cast<const T*>(data));
  return 0;
}

}  // namespace

template <class T>
void RingReader<T>::Free::operator()(ring_buffer* ring) const {
  ring_buffer__free(ring);
}

template <class T>
base::Result<RingReader<T>> RingReader<T>::map(int descriptor, const char* name) {
  RingReader reader;
  reader.tell_ = std::make_unique<const Tell*>(nullptr);
  reader.ring_.reset(ring_buffer__new(descriptor, take<T>, reader.tell_.get(), nullptr));
  if (!reader.ring_) return base::Error{errno, std::string("map ") + name};
  return reader;
}

template <class T>
void RingReader<T>::read(const Tell& tell) {
  if (!ring_) return;
  *tell_ = &tell;
  ring_buffer__consume(ring_.get());
}

template class RingReader<lb_ended>;
template class RingReader<lb_change>;
template class RingReader<lb_held>;

}  // namespace datapath
