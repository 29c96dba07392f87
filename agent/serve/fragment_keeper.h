// FragmentKeeper: fragments that came before the first one of their packet wait here, outside the
// packet path, and go through the program again once it has come (docs/packet.md).
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <map>

#include "agent/datapath/again.h"
#include "agent/datapath/datapath.h"
#include "agent/datapath/held_fragments.h"
#include "agent/datapath/ring_reader.h"
#include "agent/reconcile/event.h"
#include "agent/reconcile/reconciler.h"
#include "agent/reconcile/worker.h"
#include "netns/namespace.h"

namespace serve {

class FragmentKeeper {
 public:
  // The namespace, the datapath and the reconciler outlive it.
  FragmentKeeper(const boost::asio::any_io_executor& loop, const netns::Namespace& space,
                 datapath::Datapath& datapath, const reconcile::Reconciler& reconciler);

  // Until stop(). Where the kernel cannot do it, it says so and ends: fragments are lost then.
  boost::asio::awaitable<void> run();
  void stop();

 private:
  using Modes = std::map<uint32_t, datapath::AttachMode>;  // by ifindex
  enum class Load { usual, too_much };

  base::Status open();
  Load look(const Modes& modes);

  const netns::Namespace& space_;
  datapath::Datapath& datapath_;
  const reconcile::Reconciler& reconciler_;
  boost::asio::posix::stream_descriptor readable_;
  reconcile::Event wake_;
  bool stopped_ = false;
  // The worker's, but for whether any are kept, which is asked between its calls.
  datapath::HeldRing ring_;
  std::optional<datapath::Again> again_;
  datapath::HeldFragments held_;
  // Of its own: the machine's may be busy for seconds.
  reconcile::Worker worker_;
};

}  // namespace serve
