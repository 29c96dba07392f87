// Store: the model on disk, in <state_dir>/state.json. A model is there whole or not at all:
// written beside, flushed, renamed; the one before it stays as state.json.previous. A checksum
// tells damage from what was saved; files of before there was one are read without.
#pragma once

#include <string>

#include "agent/model/model.h"
#include "agent/model/show/state_text.h"
#include "agent/reconcile/storage.h"
#include "base/result.h"

namespace reconcile {

class Store final : public Storage {
 public:
  // Makes the directory (0700) if it is not there.
  static base::Result<Store> open(const std::string& directory);

  // No file: an empty model. A damaged file: the previous one, said in the log; that damaged too:
  // an error, never an empty model.
  base::Result<model::Model> load() const override;
  // Durable when it returns (write, fsync, rename, fsync of the directory). Blocks.
  base::Status save(const model::Model& model) override;

 private:
  explicit Store(std::string directory) : directory_(std::move(directory)) {}

  std::string directory_;
  model::StateText text_;
};

}  // namespace reconcile
