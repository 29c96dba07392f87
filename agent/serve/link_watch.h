// LinkWatch: hears of links, addresses, routes and neighbours, and tells the reconciler.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "agent/reconcile/event.h"
#include "agent/reconcile/reconciler.h"
#include "netns/watch.h"

namespace serve {

class LinkWatch {
 public:
  // `reconciler` outlives it.
  LinkWatch(boost::asio::any_io_executor loop, netns::Watch watch,
            reconcile::Reconciler& reconciler);

  // Until stop(). If the watch fails, the log says so, and it is made again.
  boost::asio::awaitable<void> run();
  void stop();

 private:
  boost::asio::awaitable<void> watch_again();

  netns::Watch watch_;
  reconcile::Reconciler& reconciler_;
  boost::asio::posix::stream_descriptor readable_;
  reconcile::Event wake_;
  bool stopped_ = false;
};

}  // namespace serve
