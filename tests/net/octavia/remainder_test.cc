// What is left of an uploaded haproxy.cfg, against the real HAProxy: it must load it. There is no
// network in it: HAProxy only checks.
//
//   sample ── translate() ── Amphora::haproxy_text ── haproxy -c -L <peer name>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/support/temporary_folder.h"
#include "tests/unit/octavia/written.h"

namespace {

using octavia_test::haproxy_upload;
using octavia_test::replaced;
using octavia_test::sample;
using octavia_test::translated;
using testing::HasSubstr;

class Remainder : public testing::Test {
 protected:
  Remainder() { folder_ = test::temporary_folder("remainder"); }
  ~Remainder() override { std::filesystem::remove_all(folder_); }

  // "" if HAProxy accepts the text, else what it says.
  std::string refusal(const std::string& text, const std::string& peer) const {
    const std::string file = folder_ + "/haproxy.cfg", output = folder_ + "/output";
    std::ofstream(file) << text;
    const std::string name = peer.empty() ? "" : " -L " + peer;
    const int status =
        std::system(("haproxy -c -f " + file + name + " >" + output + " 2>&1").c_str());
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return "";
    std::ifstream said(output);
    return "refused: " + std::string(std::istreambuf_iterator<char>(said), {});
  }

  std::string refusal_of_rest(const std::string& text) const {
    const auto model = translated(haproxy_upload(text));
    if (!model) return model.error().what;
    const model::Amphora& amphora = *model->amphora;
    // What it loads where nothing can be taken over.
    if (std::string whole = refusal_of(amphora.whole_text, amphora.peer_name); !whole.empty())
      return "whole: " + whole;
    return refusal_of(amphora.haproxy_text, amphora.peer_name);
  }
  std::string refusal_of(const std::string& text, const std::string& peer) const {
    return text.empty() ? "" : refusal(text, peer);
  }

  std::string folder_;
};

TEST_F(Remainder, OfEverySampleIsLoaded) {
  int loaded = 0;
  for (const char* dialect : {"haproxy", "haproxy-2026"})
    for (const auto& entry :
         std::filesystem::directory_iterator(std::string(OCTAVIA_SAMPLES) + "/" + dialect)) {
      const std::string file = entry.path().filename().string();
      // Their certificates are no files here.
      if (file.starts_with("10-") || file.starts_with("11-")) continue;
      EXPECT_EQ(refusal_of_rest(sample(std::string(dialect) + "/" + file)), "") << file;
      loaded++;
    }
  EXPECT_EQ(loaded, 36);
}

// Every listener in turn cannot be taken over: what it needs stays, whatever else goes.
TEST_F(Remainder, OfEveryPlacementIsLoaded) {
  const std::string text = sample("haproxy/15-multi-listener-active-standby.cfg");
  for (const char* port : {"22", "443", "9000", "9001", "9003"}) {
    const std::string bind = "    bind 203.0.113.10:" + std::string(port) + "\n";
    const std::string changed = replaced(text, bind, bind + "    option tcplog\n");
    const auto model = translated(haproxy_upload(changed));
    ASSERT_TRUE(model.ok());
    EXPECT_EQ(model->amphora->left_to_haproxy.size(), 2U);
    EXPECT_THAT(model->amphora->haproxy_text, HasSubstr(bind));
    EXPECT_EQ(refusal_of_rest(changed), "") << port;
  }
}

// The line for which HAProxy 2.6 refuses the whole text of a controller of Octavia 11 to 16.
TEST_F(Remainder, WithoutHtxIsLoaded) {
  const std::string text = replaced(sample("haproxy/14-prometheus.cfg"), "    no log\n",
                                    "    no log\n    option http-use-htx\n");
  EXPECT_THAT(refusal(text, ""), HasSubstr("http-use-htx"));
  EXPECT_EQ(refusal_of_rest(text), "");
}

}  // namespace
