// Pieces of the text that more than one section is made of.
#pragma once

#include <string>

#include "haproxy/haproxy_spec.h"
#include "haproxy/render.h"

namespace haproxy {

// Lines of a section, indented.
class Lines {
 public:
  void section(const std::string& title) { text_ += "\n" + title + "\n"; }
  void add(const std::string& line) { text_ += "    " + line + "\n"; }
  std::string take() && { return std::move(text_); }

 private:
  std::string text_;
};

void render_frontend(const Frontend& frontend, const Surroundings& around, Lines& out);
void render_backend(const Backend& backend, Lines& out);

// " ciphers .. ciphersuites .. ssl-min-ver .. ssl-max-ver .. alpn ..", as a bind or a server takes
// them.
std::string tls_words(const TlsOptions& options);

// "203.0.113.1:80", "[2001:db8::1]:80"
std::string place_word(const base::Endpoint& place);

// HAProxy's timers end at 2^31 - 1 ms; 0 would be none at all.
std::string milliseconds(int64_t timeout);

// A comment that changes when the content of the file does.
std::string fingerprint_note(const PemFile& file);

}  // namespace haproxy
