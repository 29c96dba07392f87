// The text in which Octavia describes an amphora's VRRP instance for keepalived (contract, 7.2), or
// the one that render() makes. Every byte is kept. Strict: keepalived runs programs as root, so a
// word that Octavia never writes is refused, and every word is of plain characters. Pure.
#pragma once

#include <string>

#include "base/result.h"
#include "keepalived/keepalived_spec.h"

namespace keepalived {

class Document {
 public:
  static constexpr size_t kMostBytes = 1U << 20;  // a longer text is refused
  static constexpr size_t kMostAddresses = 1000;  // of each list, and of routes and rules

  // `check_script` is the path of the one program that the text may run. Error: the line, and what
  // is wrong with it.
  static base::Result<Document> parse(std::string text, const std::string& check_script);

  const std::string& text() const { return text_; }
  const Instance& instance() const { return instance_; }

 private:
  Document(std::string text, Instance instance)
      : text_(std::move(text)), instance_(std::move(instance)) {}

  std::string text_;
  Instance instance_;
};

}  // namespace keepalived
