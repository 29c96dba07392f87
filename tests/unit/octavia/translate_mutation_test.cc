// Damaged and hostile texts: none of them stops the reader, and none gets a frontend past it that
// has a line which a slow, literal list of lines does not know.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <regex>
#include <set>
#include <sstream>
#include <vector>

#include "haproxy/document.h"
#include "tests/unit/octavia/written.h"

namespace {

using octavia_test::haproxy_upload;
using octavia_test::listener_id;
using octavia_test::lvs_upload;
using octavia_test::sample;
using octavia_test::translated;
using testing::HasSubstr;

const std::vector<std::string> kSamples = {
    "haproxy/01-tcp-rr-nohm.cfg",
    "haproxy/03-tcp-sourceip-hm-ping.cfg",
    "haproxy/04-tcp-rr-hm-http-sourceip-persist-backup-drain-disabled.cfg",
    "haproxy/07-https-passthrough-hm-https.cfg",
    "haproxy/14-prometheus.cfg",
    "haproxy/15-multi-listener-active-standby.cfg",
    "haproxy/16-shared-pool-two-listeners.cfg",
    "haproxy/20-tcp-plain-plus-proxyv2.cfg",
    "haproxy-2026/04-tcp-rr-hm-http-sourceip-persist-backup-drain-disabled.cfg",
    "haproxy-2026/05-tcp-active-standby-sourceip-persist.cfg",
};

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// Every line that a frontend of the datapath, its backend and the defaults may have, written as
// Octavia does, in one expression each. Slow, and knows nothing of words.
bool is_known(std::string line) {
  static const std::string uuid = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}";
  static const std::string address = "[0-9a-fA-F.:]+";
  static const std::string check =
      "( check| check-ssl verify none| inter [0-9]+s| fall [0-9]+| rise [0-9]+| addr " + address +
      "| port [0-9]+| weight [0-9]+| backup| disabled)*";
  static const std::regex known(
      "(log global|no log|retries 3|option redispatch|option splice-request|"
      "option splice-response|option http-keep-alive|defaults|frontend " +
      uuid + "|backend " + uuid + ":" + uuid + "|maxconn [0-9]+|mode tcp|bind " + address +
      "|default_backend " + uuid + ":" + uuid +
      "|timeout (client|connect|server) [0-9]+|timeout check [0-9]+s|" +
      "tcp-request inspect-delay [0-9]+|log-format [^ ].*|balance (roundrobin|leastconn|source)|" +
      "fullconn [0-9]+|option allbackups|stick-table type ipv?6? size [0-9]+[km]?( peers [^ ]+)?|" +
      "stick on src|load-server-state-from-file global|option httpchk [A-Z]+ /[^ ]*" +
      "( HTTP/1.[01](\\\\r\\\\n(Host:\\\\ [^ ]+)?)?)?|http-check send hdr Host [^ ]+|" +
      "http-check expect rstatus [0-9|]+|option ssl-hello-chk|option external-check|" +
      "external-check command [^ ]*/ping-wrapper.sh|server " + uuid + " " + address + check + ")?");
  line = line.substr(0, line.find_first_of("#\r"));
  line = std::regex_replace(line, std::regex("[ \t\v\f]+"), " ");
  while (line.starts_with(' ')) line.erase(0, 1);
  while (line.ends_with(' ')) line.pop_back();
  return std::regex_match(line, known);
}

// Lines of the text that belong to a listener of the datapath and are not the original's.
void expect_only_known_lines(const std::string& text, const model::Model& model,
                             const std::set<std::string>& original) {
  const auto document = haproxy::Document::parse(text);
  ASSERT_TRUE(document.ok());
  const auto offloaded = [&](const std::string& listener) -> const model::Listener* {
    const auto id = base::Uuid::parse(listener);
    if (!id || !model.listeners.contains(*id)) return nullptr;
    return model.amphora->left_to_haproxy.contains(*id) ? nullptr : &model.listeners.at(*id);
  };
  bool any = false;
  for (const auto& section : document->sections())
    if (section.kind == "frontend" && offloaded(section.name)) any = true;
  for (const auto& section : document->sections()) {
    const size_t colon = section.name.find(':');
    const model::Listener* listener = offloaded(section.name.substr(colon + 1));
    const bool is_its_pool = listener != nullptr && listener->default_pool &&
                             listener->default_pool->text() == section.name.substr(0, colon);
    const bool is_its_own = (section.kind == "frontend" && listener != nullptr) ||
                            (section.kind == "defaults" && any) ||
                            (section.kind == "backend" && is_its_pool);
    if (!is_its_own) continue;
    for (uint32_t number = section.begin; number < section.end; number++) {
      const std::string line(document->line(number).substr(0, document->line(number).size() - 1));
      if (original.contains(line)) continue;
      EXPECT_TRUE(is_known(line)) << line << "\n" << text;
    }
  }
}

class Mutator {
 public:
  explicit Mutator(unsigned seed) : random_(seed) {}

  std::string mutate(std::string text) {
    const size_t changes = 1 + below(3);
    for (size_t i = 0; i < changes; i++) change(text);
    return text;
  }

 private:
  size_t below(size_t count) { return random_() % count; }

  // Somewhere in the text: a byte, a word of HAProxy's, a line less, twice or moved.
  void change(std::string& text) {
    static const std::string kBytes = "0159afn -:#'\"\\$.\t\r\n/|\xff";
    static const std::vector<std::string> kLines = {"    option tcplog",
                                                    "    mode http",
                                                    "    timeout tunnel 1h",
                                                    "    acl a src 192.0.2.1",
                                                    "    tcp-request connection reject",
                                                    "    server s 192.0.2.9:80",
                                                    "    dispatch 192.0.2.1:1",
                                                    "    use_backend x",
                                                    "    retries 0",
                                                    "listen x",
                                                    "defaults",
                                                    "    source 192.0.2.1",
                                                    "    bind 203.0.113.10:99",
                                                    "    compression algo gzip",
                                                    "    http-request deny",
                                                    "    filter trace",
                                                    "    maxconn 7",
                                                    "    .endif",
                                                    "backend x",
                                                    "    no option allbackups"};
    static const std::vector<std::string> kWords = {" send-proxy",  " ssl",       " backup",
                                                    " weight 3",    " track x/y", " tfo",
                                                    " interface x", " check",     " disabled"};
    std::vector<std::string> lines = lines_of(text);
    const size_t at = below(lines.size());
    switch (below(8)) {
      case 0:
        text[below(text.size() - 1)] = kBytes[below(kBytes.size())];
        return;
      case 1:
        text.insert(below(text.size() - 1), 1, kBytes[below(kBytes.size())]);
        return;
      case 2:
        text.erase(below(text.size() - 1), 1 + below(3));
        return;
      case 3:
        lines.insert(lines.begin() + at, kLines[below(kLines.size())]);
        break;
      case 4:
        lines[at] += kWords[below(kWords.size())];
        break;
      case 5:
        lines.erase(lines.begin() + at);
        break;
      case 6:
        lines.insert(lines.begin() + at, lines[below(lines.size())]);
        break;
      default:
        std::swap(lines[at], lines[below(lines.size())]);
        break;
    }
    text.clear();
    for (const std::string& line : lines) text += line + "\n";
  }

  std::mt19937 random_;
};

TEST(TranslateMutations, NoUnknownLineIsTakenOver) {
  int taken = 0, left = 0, refused = 0;
  for (const std::string& name : kSamples) {
    const std::string original = sample(name);
    const std::vector<std::string> lines = lines_of(original);
    const std::set<std::string> known(lines.begin(), lines.end());
    Mutator mutator(20);
    for (int i = 0; i < 1500; i++) {
      const std::string text = mutator.mutate(original);
      const auto model = translated(haproxy_upload(text));
      if (!model) {
        EXPECT_FALSE(model.error().what.empty());
        refused++;
        continue;
      }
      (model->amphora->left_to_haproxy.empty() ? taken : left)++;
      expect_only_known_lines(text, *model, known);
      if (testing::Test::HasFailure()) return;
    }
  }
  // Otherwise it has shown nothing.
  EXPECT_GT(taken, 1000);
  EXPECT_GT(left, 1000);
  EXPECT_GT(refused, 100);
}

// A line that Octavia does not write, at every place: only in the global section it is nobody's.
TEST(TranslateMutations, NoPlaceIsOverlooked) {
  const std::string original =
      sample("haproxy/04-tcp-rr-hm-http-sourceip-persist-backup-drain-disabled.cfg");
  const std::vector<std::string> lines = lines_of(original);
  for (const std::string line : {"    option tcplog", "    tcp-check connect", "    what"}) {
    bool inherits = true;
    for (size_t at = 0; at <= lines.size(); at++) {
      if (at > 0 && (lines[at - 1] == "defaults" || lines[at - 1] == "global"))
        inherits = lines[at - 1] == "defaults";
      std::string text;
      for (size_t i = 0; i <= lines.size(); i++) {
        if (i == at) text += line + "\n";
        if (i < lines.size()) text += lines[i] + "\n";
      }
      const auto model = translated(haproxy_upload(text));
      ASSERT_TRUE(model.ok());
      EXPECT_EQ(model->amphora->left_to_haproxy.contains(listener_id(1)), inherits) << at;
    }
  }
}

TEST(TranslateMutations, LvsTextsAreReadOrRefused) {
  int read = 0, refused = 0;
  for (const char* name : {"lvs/02-udp-lc-hm-udpconnect.conf", "lvs/03-udp-sh-hm-http-persist.conf",
                           "lvs/06-udp-dualstack.conf", "lvs/10-udp-pool-empty.conf"}) {
    Mutator mutator(7);
    for (int i = 0; i < 2000; i++) {
      const auto model = translated(lvs_upload(mutator.mutate(sample(name))));
      EXPECT_TRUE(model.ok() || !model.error().what.empty());
      (model.ok() ? read : refused)++;
    }
  }
  EXPECT_GT(read, 300);
  EXPECT_GT(refused, 500);
}

// What a machine of ours would never carry out is refused, soon, and with the line.
TEST(TranslateHostile, IsBounded) {
  struct Case {
    std::string text, error;
  };
  const std::string good = sample("haproxy/01-tcp-rr-nohm.cfg");
  std::string sections, lines;
  for (int i = 0; i < 100000; i++) sections += "backend b" + std::to_string(i) + "\n";
  for (int i = 0; i < 100000; i++) lines += "    option x\n";
  const Case cases[] = {
      {good + std::string("\0\n", 2), "haproxy.cfg, line 40: there is a NUL in it"},
      {good + std::string(10U << 20, '#') + "\n", "line 40: the text is longer than"},
      {good + std::string(1U << 20, ' ') + "\n", "line 40: it is longer than"},
      {good + std::string(1U << 19, '\n'), "line 200001: there are more than"},
      {good + sections, "there are more than 20000 sections"},
      {good + "    a '" + std::string(60000, '\\') + "\n", "a quote is open"},
      {good + "    " + std::string(30000, '"') + std::string(30000, ' ') + "\n", "none"},
      {good + lines + lines.substr(0, lines.size() / 2), "none"},
      {std::string(65000, ':') + "\n" + good, "none"},
  };
  for (const Case& c : cases) {
    const auto begin = std::chrono::steady_clock::now();
    const auto model = translated(haproxy_upload(c.text));
    EXPECT_THAT(model.ok() ? "none" : model.error().what, HasSubstr(c.error));
    // Generous: it is a matter of milliseconds, and never of minutes.
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20)) << c.error;
  }
}

// As large as a machine of ours carries out: 30,000 members.
TEST(TranslateHostile, TheLargestTextIsRead) {
  const std::string title = "defaults\n    log global\n";
  std::string text = title;
  int member = 0;
  for (int i = 1; i <= 1000; i++) {
    const std::string listener = listener_id(i).text();
    const std::string name = octavia_test::pool_id(i).text() + ":" + listener;
    text += "frontend " + listener +
            "\n    maxconn 50000\n    bind 203.0.113.10:" + std::to_string(i) +
            "\n    mode tcp\n    default_backend " + name + "\n    timeout client 50000\nbackend " +
            name +
            "\n    mode tcp\n    balance roundrobin\n    fullconn 50000\n    option allbackups\n"
            "    timeout connect 5000\n    timeout server 50000\n";
    for (int last = member + 30; member < last; member++)
      text +=
          "    server " + octavia_test::member_id(member).text() + " 192.0.2.11:8080 weight 1\n";
  }
  const auto model = translated(haproxy_upload(text));
  ASSERT_TRUE(model.ok()) << model.error().what;
  EXPECT_EQ(model->members.size(), 30000U);
  model::Amphora nothing_left;
  nothing_left.whole_text = text;
  EXPECT_EQ(model->amphora, nothing_left);
}

}  // namespace
