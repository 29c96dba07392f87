#include "agent/certificates/bundle.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "agent/certificates/handshake.h"
#include "agent/certificates/parts.h"
#include "base/digest.h"
#include "base/ip.h"

namespace certificates {
namespace {

using base::Error;
using base::Result;

constexpr size_t kMostParts = 4096;

template <class Object, class Digest>
std::string digest_of(const Object* object, Digest digest_function) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (digest_function(object, EVP_sha256(), digest.data(), &size) != 1) return "";
  return base::hex(digest.data(), size);
}

std::string contents(const BioPtr& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return size <= 0 ? "" : std::string(data, static_cast<size_t>(size));
}

std::string name_text(const X509_NAME* name) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  return contents(out);
}

std::optional<Time> time_of(const ASN1_TIME* time) {
  std::tm broken_down{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &broken_down) != 1) return std::nullopt;
  return Time(std::chrono::seconds(::timegm(&broken_down)));
}

std::vector<std::string> alternates_of(X509* certificate) {
  std::vector<std::string> out;
  auto* names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    int type = 0;
    const auto* value = static_cast<const ASN1_STRING*>(
        GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type));
    if (type != GEN_DNS && type != GEN_IPADD) continue;
    const unsigned char* bytes = ASN1_STRING_get0_data(value);
    const auto size = static_cast<size_t>(ASN1_STRING_length(value));
    if (type == GEN_DNS)
      out.push_back("DNS:" + std::string(reinterpret_cast<const char*>(bytes), size));
    if (type == GEN_IPADD && (size == 4 || size == 16))
      out.push_back("IP:" + base::IpAddress::from_bytes(
                                size == 4 ? base::Family::ipv4 : base::Family::ipv6, bytes)
                                .text());
  }
  GENERAL_NAMES_free(names);
  return out;
}

// Narrows the validity of the whole to that of a part.
Result<base::Unit> narrow(About& about, const ASN1_TIME* from, const ASN1_TIME* to) {
  const auto start = time_of(from), end = time_of(to);
  if (!start || (to != nullptr && !end)) return Error{0, "it has a date that cannot be read"};
  about.not_before = std::max(about.not_before, *start);
  if (end) about.not_after = about.not_after ? std::min(*about.not_after, *end) : *end;
  return base::Unit{};
}

Result<base::Unit> narrow(About& about, const X509* certificate) {
  return narrow(about, X509_get0_notBefore(certificate), X509_get0_notAfter(certificate));
}

Bundle finish(About about, const BioPtr& out) {
  Bundle bundle;
  bundle.pem = base::SecretText(contents(out));
  bundle.sum = base::sha256(bundle.pem.text());
  bundle.about = std::move(about);
  return bundle;
}

// The leaf first, then each issuer after what it issued, then what is left in its order.
void put_in_order(std::vector<CertificatePtr>& all, size_t leaf) {
  std::swap(all[0], all[leaf]);
  for (size_t at = 0; at + 1 < all.size(); ++at)
    for (size_t other = at + 1; other < all.size(); ++other)
      if (X509_check_issued(all[other].get(), all[at].get()) == X509_V_OK) {
        std::rotate(all.begin() + static_cast<long>(at) + 1, all.begin() + static_cast<long>(other),
                    all.begin() + static_cast<long>(other) + 1);
        break;
      }
}

Result<Bundle> read_identity(Parts parts) {
  if (parts.keys.size() > 1) return Error{0, "it has more than one private key"};
  auto& all = parts.certificates;
  if (all.empty()) return Error{0, "it has a private key but no certificate"};
  EVP_PKEY* key = parts.keys.front().get();
  const auto leaf = std::ranges::find_if(
      all, [key](const auto& one) { return X509_check_private_key(one.get(), key) == 1; });
  (void)openssl_reason();  // each that did not match left one
  if (leaf == all.end()) return Error{0, "its private key does not match its certificate"};
  put_in_order(all, static_cast<size_t>(leaf - all.begin()));
  if (const auto why = no_handshake(all, key)) return Error{0, "TLS does not take it: " + *why};

  About about;
  about.use = Use::identity;
  about.subject = name_text(X509_get_subject_name(all.front().get()));
  about.alternates = alternates_of(all.front().get());
  about.parts = all.size();
  about.fingerprint = digest_of(all.front().get(), X509_digest);
  // Chains carry expired roots that nobody looks at (cross-signed ones): the leaf is what counts.
  if (auto narrowed = narrow(about, all.front().get()); !narrowed) return narrowed.error();
  const BioPtr out(BIO_new(BIO_s_mem()));
  for (const auto& one : all) PEM_write_bio_X509(out.get(), one.get());
  if (PEM_write_bio_PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return Error{0, "its private key cannot be written: " + openssl_reason()};
  return finish(std::move(about), out);
}

Result<Bundle> read_authorities(const Parts& parts) {
  const auto& all = parts.certificates;
  About about;
  about.use = Use::authorities;
  about.subject = name_text(X509_get_subject_name(all.front().get()));
  about.parts = all.size();
  about.fingerprint = digest_of(all.front().get(), X509_digest);
  for (const auto& one : all) {
    if (X509_check_ca(one.get()) == 0)
      return Error{0, "it has no private key, and " + name_text(X509_get_subject_name(one.get())) +
                          " is not a CA certificate"};
    if (auto narrowed = narrow(about, one.get()); !narrowed) return narrowed.error();
  }
  const BioPtr out(BIO_new(BIO_s_mem()));
  for (const auto& one : all) PEM_write_bio_X509(out.get(), one.get());
  return finish(std::move(about), out);
}

Result<Bundle> read_revocations(const Parts& parts) {
  About about;
  about.use = Use::revocations;
  about.subject = name_text(X509_CRL_get_issuer(parts.crls.front().get()));
  about.parts = parts.crls.size();
  about.fingerprint = digest_of(parts.crls.front().get(), X509_CRL_digest);
  const BioPtr out(BIO_new(BIO_s_mem()));
  for (const auto& crl : parts.crls) {
    auto narrowed =
        narrow(about, X509_CRL_get0_lastUpdate(crl.get()), X509_CRL_get0_nextUpdate(crl.get()));
    if (!narrowed) return narrowed.error();
    PEM_write_bio_X509_CRL(out.get(), crl.get());
  }
  return finish(std::move(about), out);
}

std::string date(Time time) {
  const std::time_t seconds = time.time_since_epoch().count();
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  std::array<char, 40> out{};
  std::strftime(out.data(), out.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return out.data();
}

}  // namespace

bool are_revocations_of(std::string_view revocations, std::string_view authorities) {
  const auto crls = read_pem(revocations), owners = read_pem(authorities);
  if (!crls || !owners) return false;
  const bool all = std::ranges::all_of(crls->crls, [&owners](const CrlPtr& crl) {
    return std::ranges::any_of(owners->certificates, [&crl](const CertificatePtr& one) {
      return X509_CRL_verify(crl.get(), X509_get0_pubkey(one.get())) == 1;
    });
  });
  (void)openssl_reason();  // each that did not match left one
  return all;
}

Result<Bundle> read_bundle(std::string_view bytes) {
  const bool is_pem = bytes.find("-----BEGIN ") != std::string_view::npos;
  auto parts = is_pem ? read_pem(bytes) : read_pkcs12(bytes);
  if (!parts) return parts.error();
  if (parts->certificates.size() + parts->crls.size() > kMostParts)
    return Error{0, "it has more than " + std::to_string(kMostParts) + " parts"};
  if (!parts->crls.empty() && !(parts->certificates.empty() && parts->keys.empty()))
    return Error{0, "it has CRLs beside certificates; each needs a bundle of its own"};
  if (!parts->crls.empty()) return read_revocations(*parts);
  if (!parts->keys.empty()) return read_identity(std::move(*parts));
  if (!parts->certificates.empty()) return read_authorities(*parts);
  return Error{0, "it has neither certificate nor CRL"};
}

std::optional<std::string> check_validity(const About& about, Time now) {
  if (now < about.not_before) return "it is not valid before " + date(about.not_before);
  if (about.not_after && now > *about.not_after) return "it expired on " + date(*about.not_after);
  return std::nullopt;
}

}  // namespace certificates
