#include "agent/http/json_body.h"

#include <gtest/gtest.h>

#include "agent/http/response.h"

namespace http {
namespace {

using model::Fault;

Fault fault(std::string_view text) {
  auto parsed = parse_body(text);
  if (auto* refused = std::get_if<Fault>(&parsed)) return *refused;
  return Fault{200, "taken: " + std::string(text)};
}

TEST(ParseBody, TakesAnObject) {
  const auto parsed = parse_body(R"( {"listener": {"a": [1, {"a": "ü"}], "b": null}} )");
  ASSERT_TRUE(std::holds_alternative<nlohmann::json>(parsed));
  EXPECT_EQ(std::get<nlohmann::json>(parsed).at("listener").at("a")[1].at("a"), "ü");
}

TEST(ParseBody, SaysWhereItIsBroken) {
  EXPECT_EQ(fault("{\"a\": 1,\n  \"b\": }").status, 400);
  EXPECT_EQ(fault("{\"a\": 1,\n  \"b\": }").text.substr(0, 56),
            "Request is not in valid JSON format: line 2, column 8: s");
  EXPECT_NE(fault("x").text.find("line 1, column 1: "), std::string::npos);
  EXPECT_NE(fault("{\"a\": 1").text.find("line 1, column 8: "), std::string::npos);
}

TEST(ParseBody, RefusesWhatIsNoJson) {
  for (const char* text : {"", " \n", "{", "{'a': 1}", "{\"a\": 1,}", "{\"a\": 01}", "{\"a\": NaN}",
                           "{\"a\": 1e999}", "{} {}", "{\"a\": \"\xff\"}", "// c\n{}"})
    EXPECT_EQ(fault(text).status, 400) << text;
}

TEST(ParseBody, RefusesAKeyThatIsThereTwice) {
  EXPECT_EQ(fault(R"({"pool": {"name": "a", "name": "b"}})").text,
            "Request is not in valid JSON format: the key 'name' appears twice in an object");
  EXPECT_EQ(fault(R"({"a": {"x": 1}, "b": {"x": 1}})").status, 200);
}

TEST(ParseBody, RefusesDepth) {
  const auto nested = [](int levels) {
    std::string text = "{\"a\":";
    for (int i = 1; i < levels; ++i) text += "[";
    text += "1";
    for (int i = 1; i < levels; ++i) text += "]";
    return text + "}";
  };
  EXPECT_EQ(fault(nested(kMaxJsonDepth)).status, 200);
  EXPECT_EQ(fault(nested(kMaxJsonDepth + 1)).status, 400);
  EXPECT_EQ(fault(nested(400'000)).status, 400);
  std::string objects;
  for (int i = 0; i < 200'000; ++i) objects += "{\"a\":";
  EXPECT_EQ(fault(objects).status, 400);
}

TEST(ParseBody, AnswersOtherJsonAsOctaviaDoes) {
  EXPECT_EQ(fault("[]").status, 500);
  EXPECT_EQ(fault("[]").text, "'list' object has no attribute 'keys'");
  EXPECT_EQ(fault("\"x\"").text, "'str' object has no attribute 'keys'");
  EXPECT_EQ(fault("7").text, "'int' object has no attribute 'keys'");
  EXPECT_EQ(fault("null").text, "'NoneType' object has no attribute 'keys'");
}

TEST(Dump, BytesThatAreNoTextCannotBreakAnAnswer) {
  const Response response = fault_response({400, "bad \xff\xfe"});
  EXPECT_EQ(nlohmann::json::parse(response.body).at("faultcode"), "Client");
}

}  // namespace
}  // namespace http
