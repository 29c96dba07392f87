// HAProxy's opinion of a text, by a process that ends at once.
#pragma once

#include <string>

#include "agent/octavia/parts.h"
#include "agent/reconcile/worker.h"

namespace serve {

class RealChecker final : public octavia::Checker {
 public:
  // `folder` is ours alone, for the text while it is checked.
  RealChecker(std::string binary, std::string folder)
      : binary_(std::move(binary)), folder_(std::move(folder)) {}

  octavia::Awaited<base::Status> check(std::string text, std::string peer_name) override;

 private:
  std::string binary_, folder_;
  reconcile::Worker worker_;
};

}  // namespace serve
