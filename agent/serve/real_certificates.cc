#include "agent/serve/real_certificates.h"

#include <chrono>
#include <utility>

namespace serve {

namespace asio = boost::asio;
using base::Result;

namespace {

certificates::Time time_now() {
  return std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
}

certificates::Use use_of(model::CertificateUse use) {
  switch (use) {
    case model::CertificateUse::identity:
      return certificates::Use::identity;
    case model::CertificateUse::authorities:
      return certificates::Use::authorities;
    case model::CertificateUse::revocations:
      return certificates::Use::revocations;
  }
  return certificates::Use::identity;
}

}  // namespace

decltype(model::Context::check_certificate) check_certificates_in(certificates::Store& store) {
  return [&store](const std::string& reference, model::CertificateUse use) {
    return store.check(reference, use_of(use), time_now());
  };
}

decltype(model::Context::are_revocations_of) compare_revocations_in(certificates::Store& store) {
  return [&store](const std::string& revocations, const std::string& authorities) {
    return store.are_revocations_of(revocations, authorities);
  };
}

asio::awaitable<std::vector<certificates::Entry>> RealCertificates::list() {
  auto read = [this] { return store_.list(); };
  co_return co_await workers_.certificates.run(std::move(read));
}

// On the worker: the key derivation of a PKCS#12 may take long.
asio::awaitable<Result<certificates::About>> RealCertificates::inspect(std::string name,
                                                                       std::string bytes) {
  auto look = [name = std::move(name), bytes = std::move(bytes)] {
    return certificates::Store::inspect(name, bytes, time_now());
  };
  co_return co_await workers_.certificates.run(std::move(look));
}

asio::awaitable<Result<certificates::Put>> RealCertificates::put(std::string name,
                                                                 std::string bytes) {
  auto write = [this, name = std::move(name), bytes = std::move(bytes)]() {
    return store_.put(name, bytes);
  };
  auto done = co_await workers_.certificates.run(std::move(write));
  if (!done) co_return done.error();
  if (changed_) changed_();
  co_return done;
}

Result<base::Unit> RealCertificates::remove(const std::string& name) { return store_.remove(name); }

}  // namespace serve
