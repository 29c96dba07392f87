// HAProxy's opinion of a text, and ours, by a process that ends at once.
#pragma once

#include <string>
#include <utility>

#include "agent/octavia/parts.h"
#include "agent/reconcile/worker.h"
#include "haproxy/process.h"

namespace serve {

class RealChecker final : public octavia::Checker {
 public:
  // `paths`: of the HAProxy that is to take the text.
  explicit RealChecker(haproxy::Paths paths) : paths_(std::move(paths)) {}

  octavia::Awaited<base::Status> check(std::string text, std::string peer_name) override;

 private:
  haproxy::Paths paths_;
  reconcile::Worker worker_;
};

}  // namespace serve
