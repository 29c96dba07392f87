#include "agent/model/edit/certificate_references.h"

#include <utility>

namespace model {
namespace {

std::vector<CertificateReference> references_of(const Listener& listener) {
  std::vector<CertificateReference> out{
      {"listener", listener.id, "default_tls_container_ref", listener.default_tls_container_ref,
       CertificateUse::identity},
      {"listener", listener.id, "client_ca_tls_container_ref", listener.client_ca_tls_container_ref,
       CertificateUse::authorities},
      {"listener", listener.id, "client_crl_container_ref", listener.client_crl_container_ref,
       CertificateUse::revocations}};
  for (const std::string& sni : listener.sni_container_refs)
    out.push_back({"listener", listener.id, "sni_container_refs", sni, CertificateUse::identity});
  return out;
}

std::vector<CertificateReference> references_of(const Pool& pool) {
  return {
      {"pool", pool.id, "tls_container_ref", pool.tls_container_ref, CertificateUse::identity},
      {"pool", pool.id, "ca_tls_container_ref", pool.ca_tls_container_ref,
       CertificateUse::authorities},
      {"pool", pool.id, "crl_container_ref", pool.crl_container_ref, CertificateUse::revocations}};
}

}  // namespace

std::vector<CertificateReference> certificate_references(const Model& m) {
  std::vector<CertificateReference> all;
  const auto add = [&all](const auto& resources) {
    for (const auto& [id, resource] : resources)
      for (CertificateReference& reference : references_of(resource))
        if (!reference.text.empty()) all.push_back(std::move(reference));
  };
  add(m.listeners);
  add(m.pools);
  return all;
}

}  // namespace model
