// The certificates of the API, in the agent's store.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "agent/certificates/store.h"
#include "agent/control/certificates.h"
#include "agent/model/edit/edit.h"
#include "agent/reconcile/workers.h"

namespace serve {

class RealCertificates final : public control::Certificates {
 public:
  // Both outlive it. `changed` is called on the loop after a bundle has come or was replaced.
  RealCertificates(certificates::Store& store, reconcile::Workers& workers,
                   std::function<void()> changed)
      : store_(store), workers_(workers), changed_(std::move(changed)) {}

  boost::asio::awaitable<std::vector<certificates::Entry>> list() override;
  boost::asio::awaitable<base::Result<certificates::About>> inspect(std::string name,
                                                                    std::string bytes) override;
  boost::asio::awaitable<base::Result<certificates::Put>> put(std::string name,
                                                              std::string bytes) override;
  base::Result<base::Unit> remove(const std::string& name) override;

 private:
  certificates::Store& store_;
  reconcile::Workers& workers_;
  std::function<void()> changed_;
};

// For model::Context::check_certificate: asks `store`, which outlives it.
decltype(model::Context::check_certificate) check_certificates_in(certificates::Store& store);
// For model::Context::are_revocations_of; the same.
decltype(model::Context::are_revocations_of) compare_revocations_in(certificates::Store& store);

}  // namespace serve
