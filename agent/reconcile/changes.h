// Changes: the only way to change what is wanted. Doors ask for a change of the model; it is
// durable when they are answered, and the machine follows.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>

#include "agent/model/edit/edit.h"
#include "agent/model/model.h"
#include "agent/model/show/status.h"

namespace reconcile {

// Edits run one after the other, each on the model that the one before it left.
using Edit =
    std::function<model::Outcome<model::Edited>(const model::Model&, const model::Context&)>;

class Changes {
 public:
  virtual ~Changes() = default;
  virtual const model::Model& model() const = 0;
  // What the resources of model() are worth to clients now.
  virtual model::Statuses statuses() const = 0;
  // Durable when it returns a model; the machine follows. A Fault: nothing was changed. Storage
  // that fails is Fault{500, what}.
  virtual boost::asio::awaitable<model::Outcome<model::Edited>> change(Edit edit) = 0;
};

}  // namespace reconcile
