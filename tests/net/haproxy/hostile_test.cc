// No value of a user's breaks out of its word: HAProxy takes the text, and takes it for what was
// meant.
#include <random>

#include "haproxy/quote.h"
#include "tests/net/haproxy/lab.h"

namespace haproxy_test {
namespace {

using haproxy::Fetch;
using haproxy::Match;

class Hostile : public Lab {
 protected:
  // Made of what means something to some parser.
  std::string text(size_t most) {
    static constexpr std::string_view kMarks =
        "'\"\\ $#%{}[]()!&|;,:-/=@~`<>*?^+.\t\n\r\0ax1\xc3\xbc";
    std::string out;
    const size_t length = 1 + random_() % most;
    for (size_t i = 0; i < length; i++) out += kMarks[random_() % kMarks.size()];
    return out;
  }
  haproxy::Rule rule(int number) {
    static constexpr Fetch kFetches[] = {Fetch::host,   Fetch::path,   Fetch::file_type,
                                         Fetch::header, Fetch::cookie, Fetch::client_dn_field};
    static constexpr Match kMatches[] = {Match::prefix, Match::suffix, Match::substring,
                                         Match::exact};
    return {id(number), kFetches[random_() % 6], kMatches[random_() % 4], text(6),
            text(20),   random_() % 2 == 0};
  }
  haproxy::Spec spec() {
    haproxy::Spec spec = http(1);
    for (int i = 0; i < 12; i++) {
      haproxy::Policy policy;
      policy.id = id(150 + i);
      policy.action = static_cast<haproxy::Action>(i % 3);
      policy.target = "http://x/" + text(20);
      policy.rules = {rule(10 + 2 * i), rule(11 + 2 * i)};
      frontend(spec).policies.push_back(policy);
    }
    frontend(spec).project = text(20);
    backend(spec).persistence =
        haproxy::Persistence{haproxy::Persistence::Kind::app_cookie, text(8)};
    haproxy::Check check;
    check.kind = haproxy::Check::Kind::http;
    check.method = "GET";
    check.path = "/" + text(20);
    check.version = "1.1";
    check.domain_name = text(20);
    check.expected_status = "200";
    backend(spec).check = check;
    return spec;
  }
  std::mt19937 random_{20240607};
};

TEST_F(Hostile, TextIsAccepted) {
  for (int round = 0; round < 60; round++) {
    const haproxy::Spec hostile = spec();
    const std::string text = haproxy::render(hostile, process().surroundings());
    FILE* file = std::fopen(path("hostile.cfg").c_str(), "w");
    std::fwrite(text.data(), 1, text.size(), file);
    std::fclose(file);
    ASSERT_NE(try_sh("haproxy -c -f " + path("hostile.cfg")).find("file is valid"),
              std::string::npos)
        << sh("haproxy -c -f " + path("hostile.cfg"));
  }
}

// The value is what the header must be, byte by byte (a comma would part it into two).
TEST_F(Hostile, ValueMeansItself) {
  member(1);
  haproxy::Spec spec = http(1);
  std::vector<std::string> values;
  for (int i = 0; i < 12; i++) {
    std::string value;
    for (const char c : text(12))
      if (c > 0x20 && c < 0x7f && c != ',') value += c;
    values.push_back("-" + value + "'\\ \"$HOME#\" x");
    haproxy::Policy policy;
    policy.id = id(150 + i);
    policy.rules = {{id(10 + i), Fetch::header, Match::exact, "X-Value-" + std::to_string(i),
                     values.back(), false}};
    frontend(spec).policies.push_back(policy);
  }
  apply(spec);
  EXPECT_EQ(status("/"), "200");
  for (int i = 0; i < 12; i++) {
    FILE* file = std::fopen(path("header").c_str(), "w");
    std::fprintf(file, "X-Value-%d: %s\n", i, values[static_cast<size_t>(i)].c_str());
    std::fclose(file);
    EXPECT_EQ(status("/", "-H @" + path("header")), "403") << values[static_cast<size_t>(i)];
  }
}

}  // namespace
}  // namespace haproxy_test
