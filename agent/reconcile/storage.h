// Storage: where the model is kept, for the agent that comes after this one.
#pragma once

#include "agent/model/model.h"
#include "base/result.h"

namespace reconcile {

// Both block.
class Storage {
 public:
  virtual ~Storage() = default;
  // As saved last; nothing was ever saved: an empty model.
  virtual base::Result<model::Model> load() const = 0;
  // Durable when it returns.
  virtual base::Status save(const model::Model& model) = 0;
};

// Of an amphora: the uploaded files are the truth, and the model is made from them at each start.
class NoStorage final : public Storage {
 public:
  base::Result<model::Model> load() const override { return model::Model{}; }
  base::Status save(const model::Model&) override { return base::Unit{}; }
};

}  // namespace reconcile
