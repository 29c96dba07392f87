// Certificates as values: what a listener or a pool refers to, and the file that it becomes.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace certificates {

using Time = std::chrono::sys_seconds;  // UTC

// What a bundle is good for.
enum class Use {
  identity,     // a certificate with its private key and chain
  authorities,  // CA certificates
  revocations,  // CRLs
};

std::string text(Use use);  // "identity"

// What is known of a bundle. Nothing of it is secret.
struct About {
  std::string name;
  Use use = Use::identity;
  std::string subject;                  // of the first certificate, or the issuer of the first CRL
  std::vector<std::string> alternates;  // "DNS:www.example.com", "IP:192.0.2.1"; of an identity
  // When the leaf, or all CA certificates or CRLs, are valid. A CRL without an end has none.
  Time not_before = Time::min();
  std::optional<Time> not_after;
  size_t parts = 0;         // certificates, or CRLs
  std::string fingerprint;  // SHA-256 of the first certificate or CRL, lower case hex

  friend bool operator==(const About&, const About&) = default;
};

struct Entry {
  About about;        // of a file that is no bundle, only the name
  std::string fault;  // why what is there cannot be used; empty: it can
};

enum class Put { created, replaced };

// Normalised PEM, for HAProxy: leaf, chain, private key; or CA certificates; or CRLs.
struct File {
  std::string path;
  std::string fingerprint;  // SHA-256 of what is in it, lower case hex: another text, another value

  friend bool operator==(const File&, const File&) = default;
};

// The name in the store of what a reference refers to: the reference itself, or the last segment of
// one with slashes ("https://192.0.2.5/v1/containers/web.pem"). nullopt: no name can be that.
std::optional<std::string> name_of(const std::string& reference);

}  // namespace certificates
