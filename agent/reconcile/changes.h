// What doors see of reconciling: Changes, the only way to change what is wanted, and Delivery, to
// wait until the machine has it. Called on the loop's thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <memory>

#include "agent/model/edit/edit.h"
#include "agent/model/model.h"
#include "agent/model/show/status.h"
#include "base/result.h"
#include "netns/netns_spec.h"

namespace reconcile {

// Edits run one after the other, each on the model that the one before it left; on a worker: they
// touch nothing but what they are given and what is made for any thread.
using Edit =
    std::function<model::Outcome<model::Edited>(const model::Model&, const model::Context&)>;

// What is wanted and what is known of it, at one moment. Any thread may read it, also later.
struct Sight {
  std::shared_ptr<const model::Model> model;
  model::Findings findings;

  // What the resources are worth to clients. Takes its time where there are thousands.
  model::Statuses statuses() const { return model::operating_statuses(*model, findings); }
};

class Changes {
 public:
  virtual ~Changes() = default;
  virtual const model::Model& model() const = 0;
  virtual Sight sight() const = 0;  // of model()
  // Durable when it returns a model; the machine follows. A Fault: nothing was changed. Storage
  // that fails is Fault{500, what}.
  virtual boost::asio::awaitable<model::Outcome<model::Edited>> change(Edit edit) = 0;
};

// For a door that answers only when the machine has what was asked for:
//   auto outcome = co_await changes.change(std::move(edit));
//   auto done = co_await delivery.carried_out(delivery.revision());
class Delivery {
 public:
  virtual ~Delivery() = default;
  // Of all that is wanted now; grows by every accepted change and by every configure().
  virtual uint64_t revision() const = 0;
  // Returns when the machine has what was wanted at `revision`, or something newer. An error: of
  // the first attempt at that, in words for people; attempts go on, and what could be done is.
  virtual boost::asio::awaitable<base::Status> carried_out(uint64_t revision) = 0;
  // The part of the layout that the model does not decide (interfaces, their addresses, routes and
  // rules; no VIPs, no next hops) is this one from now on. Not stored: whoever configures does so
  // again after a restart. Returns as carried_out() does. An interface that is nowhere (yet) is no
  // error: it is arranged when it appears.
  virtual boost::asio::awaitable<base::Status> configure(netns::LayoutSpec layout) = 0;
};

}  // namespace reconcile
