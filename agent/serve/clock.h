// Clock: the flow table's time, of which the datapath's packets know nothing else.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "agent/datapath/flow_table.h"
#include "agent/reconcile/event.h"

namespace serve {

class Clock {
 public:
  // `flows` outlives it.
  Clock(const boost::asio::any_io_executor& loop, datapath::FlowTable& flows)
      : flows_(flows), wake_(loop) {}

  // Until stop().
  boost::asio::awaitable<void> run();
  void stop();

 private:
  datapath::FlowTable& flows_;
  reconcile::Event wake_;
  bool stopped_ = false;
};

}  // namespace serve
