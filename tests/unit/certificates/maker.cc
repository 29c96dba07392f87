#include "tests/unit/certificates/maker.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>

namespace certificates::testing {
namespace {

std::string contents(const BioPtr& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<size_t>(size)};
}

BioPtr memory() { return BioPtr(BIO_new(BIO_s_mem())); }

void set_time(ASN1_TIME* out, Time time) { ASN1_TIME_set(out, time.time_since_epoch().count()); }

void add_extension(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

}  // namespace

Time noon() {
  return std::chrono::sys_days(std::chrono::year(2026) / 11 / 22) + std::chrono::hours(12);
}

std::string Pair::certificate_pem() const {
  const BioPtr out = memory();
  PEM_write_bio_X509(out.get(), certificate.get());
  return contents(out);
}

std::string Pair::key_pem() const {
  const BioPtr out = memory();
  PEM_write_bio_PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return contents(out);
}

Pair make(const Wish& wish, const Pair* issuer) {
  static long serial = 0;
  Pair pair{
      CertificatePtr(X509_new()),
      KeyPtr(wish.rsa_bits != 0 ? EVP_RSA_gen(wish.rsa_bits) : EVP_EC_gen(wish.curve.c_str()))};
  X509* certificate = pair.certificate.get();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(wish.name.c_str()), -1, -1, 0);
  X509_set_issuer_name(
      certificate,
      X509_get_subject_name(issuer == nullptr ? certificate : issuer->certificate.get()));
  set_time(X509_getm_notBefore(certificate), wish.from);
  set_time(X509_getm_notAfter(certificate), wish.to);
  X509_set_pubkey(certificate, pair.key.get());
  add_extension(certificate, NID_basic_constraints,
                wish.authority ? "critical,CA:TRUE" : "CA:FALSE");
  if (!wish.alternate.empty()) add_extension(certificate, NID_subject_alt_name, wish.alternate);
  X509_sign(certificate, issuer == nullptr ? pair.key.get() : issuer->key.get(),
            EVP_get_digestbyname(wish.digest));
  return pair;
}

std::string encrypted_key_pem(const Pair& pair, const std::string& passphrase) {
  const BioPtr out = memory();
  PEM_write_bio_PKCS8PrivateKey(out.get(), pair.key.get(), EVP_aes_256_cbc(), passphrase.c_str(),
                                static_cast<int>(passphrase.size()), nullptr, nullptr);
  return contents(out);
}

std::string pkcs12(const Pair& pair, const std::string& name, const Pair* chain,
                   const char* passphrase) {
  STACK_OF(X509)* others = sk_X509_new_null();
  if (chain != nullptr) sk_X509_push(others, chain->certificate.get());
  PKCS12* made = PKCS12_create(passphrase, name.c_str(), pair.key.get(), pair.certificate.get(),
                               others, 0, 0, 0, 0, 0);
  sk_X509_free(others);
  const BioPtr out = memory();
  i2d_PKCS12_bio(out.get(), made);
  PKCS12_free(made);
  return contents(out);
}

std::string crl_pem(const Pair& issuer, Time from, Time to) {
  const CrlPtr crl(X509_CRL_new());
  X509_CRL_set_version(crl.get(), X509_CRL_VERSION_2);
  X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(issuer.certificate.get()));
  ASN1_TIME* time = ASN1_TIME_new();
  set_time(time, from);
  X509_CRL_set1_lastUpdate(crl.get(), time);
  set_time(time, to);
  X509_CRL_set1_nextUpdate(crl.get(), time);
  ASN1_TIME_free(time);
  X509_CRL_sign(crl.get(), issuer.key.get(), EVP_sha256());
  const BioPtr out = memory();
  PEM_write_bio_X509_CRL(out.get(), crl.get());
  return contents(out);
}

}  // namespace certificates::testing
