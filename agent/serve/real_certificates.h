// The certificates of the API, in the agent's store.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "agent/certificates/store.h"
#include "agent/control/certificates.h"
#include "agent/reconcile/worker.h"

namespace serve {

class RealCertificates final : public control::Certificates {
 public:
  // `store` outlives it. `changed` is called on the loop after a bundle has come or was replaced.
  RealCertificates(certificates::Store& store, std::function<void()> changed)
      : store_(store), changed_(std::move(changed)) {}

  boost::asio::awaitable<std::vector<Entry>> list() override;
  boost::asio::awaitable<base::Result<certificates::About>> inspect(std::string name,
                                                                    std::string bytes) override;
  boost::asio::awaitable<base::Result<Put>> put(std::string name, std::string bytes) override;
  base::Result<base::Unit> remove(const std::string& name) override;

 private:
  certificates::Store& store_;
  std::function<void()> changed_;
  reconcile::Worker worker_;
};

}  // namespace serve
