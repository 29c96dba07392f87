#include "agent/certificates/bundle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/certificates/maker.h"

namespace certificates::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string fault(const std::string& bytes) {
  const auto bundle = read_bundle(bytes);
  return bundle ? "no fault" : bundle.error().what;
}

struct House {
  Pair root = make({.name = "root", .alternate = {}, .authority = true});
  Pair middle = make({.name = "middle", .alternate = {}, .authority = true}, &root);
  Pair leaf =
      make({.name = "www.example.com", .alternate = "DNS:www.example.com,IP:192.0.2.1"}, &middle);
};

TEST(Bundle, IsPutInOrderWhateverItsOrderWas) {
  const House house;
  const std::string want = house.leaf.certificate_pem() + house.middle.certificate_pem() +
                           house.root.certificate_pem() + house.leaf.key_pem();
  for (const std::string& given :
       {want,
        house.leaf.key_pem() + house.root.certificate_pem() + house.middle.certificate_pem() +
            house.leaf.certificate_pem(),
        "Subject: text that tools print\n" + house.root.certificate_pem() + house.leaf.key_pem() +
            "\r\n" + house.leaf.certificate_pem() + house.middle.certificate_pem()}) {
    const auto bundle = read_bundle(given);
    ASSERT_TRUE(bundle.ok()) << bundle.error().what;
    EXPECT_EQ(bundle->pem.text(), want);
    EXPECT_EQ(bundle->about.use, Use::identity);
    EXPECT_EQ(bundle->about.subject, "CN=www.example.com");
    EXPECT_EQ(bundle->about.parts, 3u);
    EXPECT_THAT(bundle->about.alternates, ElementsAre("DNS:www.example.com", "IP:192.0.2.1"));
    EXPECT_EQ(bundle->about.fingerprint.size(), 64u);
    EXPECT_EQ(bundle->sum.size(), 64u);
  }
}

// HAProxy would not start with them, or nobody could talk to it.
TEST(Bundle, OfAnIdentityIsOneThatTlsTakes) {
  const Pair root = make({.name = "root", .alternate = {}, .authority = true});
  const auto bytes = [](const Pair& pair) { return pair.certificate_pem() + pair.key_pem(); };
  const auto named = [](Wish wish) {
    wish.name = "www";
    return wish;
  };
  EXPECT_EQ(fault(bytes(make(named({.rsa_bits = 2048}), &root))), "no fault");
  EXPECT_EQ(fault(bytes(make(named({.curve = "P-384"}), &root))), "no fault");
  EXPECT_THAT(fault(bytes(make(named({.rsa_bits = 1024}), &root))), HasSubstr("key too small"));
  EXPECT_THAT(fault(bytes(make(named({.digest = "SHA1"}), &root))), HasSubstr("md too weak"));
  EXPECT_THAT(fault(bytes(make(named({.curve = "prime192v1"}), &root))),
              HasSubstr("key too small"));
  EXPECT_THAT(fault(bytes(make(named({.curve = "secp256k1"}), &root))),
              HasSubstr("no client could use it"));
  const Pair weak =
      make({.name = "weak", .alternate = {}, .authority = true, .rsa_bits = 1024}, &root);
  EXPECT_THAT(fault(bytes(make(named({}), &weak)) + weak.certificate_pem()),
              HasSubstr("of one of its issuers"));
}

TEST(Bundle, RevocationsAreOfThoseWhoSignedThem) {
  const Pair one = make({.name = "one", .alternate = {}, .authority = true});
  const Pair two = make({.name = "two", .alternate = {}, .authority = true});
  const std::string crl = crl_pem(one, noon() - kDay, noon() + kDay);
  EXPECT_TRUE(are_revocations_of(crl, one.certificate_pem()));
  EXPECT_TRUE(are_revocations_of(crl, two.certificate_pem() + one.certificate_pem()));
  EXPECT_FALSE(are_revocations_of(crl, two.certificate_pem()));
}

TEST(Bundle, OfPkcs12IsThatOfPem) {
  const House house;
  const auto pem = read_bundle(house.leaf.certificate_pem() + house.middle.certificate_pem() +
                               house.leaf.key_pem());
  for (const char* passphrase : {"", static_cast<const char*>(nullptr)}) {
    const auto p12 = read_bundle(pkcs12(house.leaf, "web", &house.middle, passphrase));
    ASSERT_TRUE(p12.ok()) << p12.error().what;
    EXPECT_EQ(p12->pem.text(), pem->pem.text());
    EXPECT_EQ(p12->about, pem->about);
  }
}

TEST(Bundle, OfAuthoritiesAndOfRevocations) {
  const House house;
  const auto authorities =
      read_bundle(house.root.certificate_pem() + house.middle.certificate_pem());
  ASSERT_TRUE(authorities.ok()) << authorities.error().what;
  EXPECT_EQ(authorities->about.use, Use::authorities);
  EXPECT_EQ(authorities->about.parts, 2u);
  const auto crl = read_bundle(crl_pem(house.root, noon(), noon() + kDay));
  ASSERT_TRUE(crl.ok()) << crl.error().what;
  EXPECT_EQ(crl->about.use, Use::revocations);
  EXPECT_EQ(crl->about.subject, "CN=root");
  EXPECT_EQ(crl->about.not_after, noon() + kDay);
}

TEST(Bundle, ThatIsNoneSaysWhy) {
  const House house;
  const std::string leaf = house.leaf.certificate_pem(), key = house.leaf.key_pem();
  EXPECT_THAT(fault(""), HasSubstr("neither PEM nor PKCS#12"));
  EXPECT_THAT(fault("hello"), HasSubstr("neither PEM nor PKCS#12"));
  EXPECT_THAT(fault(leaf), HasSubstr("has no private key, and CN=www.example.com is not a CA"));
  EXPECT_THAT(fault(key), HasSubstr("a private key but no certificate"));
  EXPECT_THAT(fault(leaf + house.root.key_pem()), HasSubstr("does not match its certificate"));
  EXPECT_THAT(fault(leaf + key + house.root.key_pem()), HasSubstr("more than one private key"));
  EXPECT_THAT(fault(leaf + encrypted_key_pem(house.leaf, "secret")), HasSubstr("is encrypted"));
  EXPECT_THAT(fault(pkcs12(house.leaf, "web", nullptr, "secret")), HasSubstr("passphrase"));
  EXPECT_THAT(fault(leaf + key + crl_pem(house.root, noon(), noon() + kDay)),
              HasSubstr("CRLs beside certificates"));
  EXPECT_THAT(fault(leaf.substr(0, leaf.size() / 2)), HasSubstr("PEM is damaged"));
  EXPECT_THAT(fault("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"),
              HasSubstr("block PUBLIC KEY"));
  EXPECT_THAT(fault("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
              HasSubstr("CERTIFICATE does not parse"));
}

TEST(Bundle, IsValidInItsTimeOnly) {
  const Pair pair = make({.name = "x", .alternate = {}, .from = noon(), .to = noon() + kDay});
  const auto bundle = read_bundle(pair.certificate_pem() + pair.key_pem());
  ASSERT_TRUE(bundle.ok());
  EXPECT_EQ(check_validity(bundle->about, noon()), std::nullopt);
  EXPECT_EQ(check_validity(bundle->about, noon() + kDay), std::nullopt);
  EXPECT_EQ(check_validity(bundle->about, noon() - std::chrono::seconds(1)),
            "it is not valid before 2026-11-22T12:00:00Z");
  EXPECT_EQ(check_validity(bundle->about, noon() + kDay + std::chrono::seconds(1)),
            "it expired on 2026-11-23T12:00:00Z");
}

TEST(Bundle, IsNotExpiredByAnOldRoot) {
  const Pair root =
      make({.name = "root", .alternate = {}, .authority = true, .to = noon() - kDay / 2});
  const Pair leaf = make({.name = "leaf", .alternate = {}}, &root);
  const auto bundle = read_bundle(leaf.certificate_pem() + root.certificate_pem() + leaf.key_pem());
  ASSERT_TRUE(bundle.ok());
  EXPECT_EQ(check_validity(bundle->about, noon()), std::nullopt);
  const auto authorities = read_bundle(root.certificate_pem());
  ASSERT_TRUE(authorities.ok());
  EXPECT_NE(check_validity(authorities->about, noon()), std::nullopt);
}

}  // namespace
}  // namespace certificates::testing
