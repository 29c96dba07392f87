// The uploads on disk for the door of Octavia, by a thread of their own: what is on its way to the
// disk keeps nobody else waiting.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "agent/octavia/files.h"
#include "agent/octavia/parts.h"
#include "agent/reconcile/worker.h"

namespace serve {

class RealDocuments final : public octavia::Documents {
 public:
  explicit RealDocuments(octavia::Files files) : files_(std::move(files)) {}

  octavia::Awaited<base::Result<std::optional<std::string>>> read(
      octavia::Document document) override;
  octavia::Awaited<base::Status> write(octavia::Document document, std::string bytes) override;
  octavia::Awaited<base::Status> remove(octavia::Document document) override;
  octavia::Awaited<base::Status> forget(octavia::Uuid load_balancer) override;
  octavia::Awaited<base::Result<octavia::Uploads>> uploads() override;

 private:
  octavia::Files files_;
  reconcile::Worker worker_;
};

}  // namespace serve
