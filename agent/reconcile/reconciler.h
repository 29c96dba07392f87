// Reconciler: the only mutable state of the agent. Doors ask it to change the model; it makes the
// change durable, answers, and brings the machine there. First start, restart, configuration
// change, link flap and member transition are the same reconcile().
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>

#include "agent/model/edit/edit.h"
#include "agent/model/model.h"
#include "agent/model/show/status.h"

namespace agent {

// Edits run one after the other, each on the model that the one before it left.
using Edit =
    std::function<model::Outcome<model::Edited>(const model::Model&, const model::Context&)>;

class Reconciler {
 public:
  virtual ~Reconciler() = default;
  virtual const model::Model& model() const = 0;
  // What the resources of model() are worth to clients now.
  virtual model::Statuses statuses() const = 0;
  // Durable when it returns a model; the machine follows. A Fault: nothing was changed. Storage
  // that fails is Fault{500, what}.
  virtual boost::asio::awaitable<model::Outcome<model::Edited>> change(Edit edit) = 0;
};

}  // namespace agent
