// Certificates: the bundles that listeners and pools may refer to, as the API keeps them. The agent
// implements it over certificates::Store, tests in memory.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>
#include <vector>

#include "agent/certificates/certificates_spec.h"
#include "base/result.h"

namespace control {

class Certificates {
 public:
  virtual ~Certificates() = default;

  // By name, damaged ones too.
  virtual boost::asio::awaitable<std::vector<certificates::Entry>> list() = 0;
  // What a bundle is, without keeping it. The error's words are for who sent it.
  virtual boost::asio::awaitable<base::Result<certificates::About>> inspect(std::string name,
                                                                            std::string bytes) = 0;
  // Durable when it returns.
  virtual boost::asio::awaitable<base::Result<certificates::Put>> put(std::string name,
                                                                      std::string bytes) = 0;
  // At once, so that no change of the model comes between. ENOENT: it is not there.
  virtual base::Result<base::Unit> remove(const std::string& name) = 0;
};

}  // namespace control
