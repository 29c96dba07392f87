#include "agent/http/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "agent/http/response.h"
#include "tests/unit/http/wire.h"

namespace http::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

// Says what it was asked.
boost::asio::awaitable<Response> echo(Request request) {
  Response response;
  response.content_type = "text/plain";
  response.body = request.method + " " + request.target + " " + std::to_string(request.body.size());
  if (request.body.size() < 100) response.body += " " + request.body;
  co_return response;
}

Limits hasty() {
  Limits limits;
  limits.idle = limits.header = limits.body = limits.write = 150ms;
  return limits;
}

TEST(Session, KeepsAliveAndAnswersInOrder) {
  Running server(echo);
  Wire wire(server.path());
  for (int i = 0; i < 50; ++i) {
    const auto answer = wire.ask("GET", "/" + std::to_string(i));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->body, "GET /" + std::to_string(i) + " 0 ");
    EXPECT_EQ(answer->header("Content-Type"), "text/plain");
  }
}

TEST(Session, AnswersPipelinedRequests) {
  Running server(echo);
  Wire wire(server.path());
  wire.say(
      "GET /1 HTTP/1.1\r\nHost: lb\r\n\r\n"
      "POST /2 HTTP/1.1\r\nHost: lb\r\nContent-Length: 3\r\n\r\nabc"
      "GET /3 HTTP/1.1\r\nHost: lb\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(wire.hear()->body, "GET /1 0 ");
  EXPECT_EQ(wire.hear()->body, "POST /2 3 abc");
  EXPECT_EQ(wire.hear()->body, "GET /3 0 ");
  EXPECT_TRUE(wire.ended());
}

TEST(Session, ReadsARequestByteByByte) {
  Running server(echo);
  Wire wire(server.path());
  for (const char c : std::string("PUT /x HTTP/1.1\r\nHost: lb\r\nContent-Length: 2\r\n\r\nhi")) {
    wire.say(std::string(1, c));
  }
  EXPECT_EQ(wire.hear()->body, "PUT /x 2 hi");
}

TEST(Session, ReadsChunkedBodies) {
  Running server(echo);
  Wire wire(server.path());
  wire.say("POST /x HTTP/1.1\r\nHost: lb\r\nTransfer-Encoding: chunked\r\n\r\n");
  wire.say("3\r\nabc\r\n").say("2;x=y\r\nde\r\n").say("0\r\n\r\n");
  EXPECT_EQ(wire.hear()->body, "POST /x 5 abcde");
}

TEST(Session, HeadHasTheHeadersOnly) {
  Running server(echo);
  Wire wire(server.path());
  wire.say("HEAD /x HTTP/1.1\r\nHost: lb\r\n\r\n");
  const auto head = wire.hear(Wire::Of::head);
  EXPECT_EQ(head->header("Content-Length"), "10");
  EXPECT_EQ(wire.ask("GET", "/y")->body, "GET /y 0 ");
}

TEST(Session, ContinuesWhenAClientWaitsForIt) {
  Running server(echo);
  Wire wire(server.path());
  wire.say("PUT /x HTTP/1.1\r\nHost: lb\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(wire.hear()->status, 100);
  wire.say("ok");
  EXPECT_EQ(wire.hear()->body, "PUT /x 2 ok");
}

TEST(Session, RefusesABodyThatATooLargeLengthAnnounces) {
  Running server(echo);
  Wire wire(server.path());
  wire.say(
      "PUT /x HTTP/1.1\r\nHost: lb\r\nContent-Length: 8388609\r\nExpect: 100-continue\r\n\r\n");
  const auto answer = wire.hear();
  EXPECT_EQ(answer->status, 413);
  EXPECT_EQ(answer->header("Connection"), "close");
}

TEST(Session, TakesABodyOfExactlyTheLimit) {
  Running server(echo);
  EXPECT_EQ(ask(server.path(), "PUT", "/x", std::string(8 * 1024 * 1024, 'x'))->body,
            "PUT /x 8388608");
}

struct Refused {
  const char* what;
  std::string request;
  int status;
};

class BadRequest : public ::testing::TestWithParam<Refused> {};

TEST_P(BadRequest, IsRefusedInOctaviasWordsAndTheConnectionEnds) {
  Running server(echo);
  Wire wire(server.path());
  wire.say(GetParam().request);
  const auto answer = wire.hear();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, GetParam().status);
  const auto body = nlohmann::json::parse(answer->body);
  EXPECT_EQ(body.at("faultcode"), GetParam().status < 500 ? "Client" : "Server");
  EXPECT_THAT(body.at("faultstring").get<std::string>(), HasSubstr(""));
  EXPECT_TRUE(body.at("debuginfo").is_null());
  EXPECT_EQ(answer->header("Connection"), "close");
  ::shutdown(wire.fd(), SHUT_WR);
  EXPECT_TRUE(wire.ended());
  EXPECT_EQ(ask(server.path(), "GET", "/")->status, 200);
}

const std::string kPost = "POST /x HTTP/1.1\r\nHost: lb\r\n";

INSTANTIATE_TEST_SUITE_P(
    Session, BadRequest,
    ::testing::Values(
        Refused{"Garbage", "\x16\x03\x01\x02\x00 hello\r\n\r\n", 400},
        Refused{"BadVersion", "GET / HTTP/9.7\r\n\r\n", 400},
        Refused{"NoHost", "GET / HTTP/1.1\r\n\r\n", 400},
        Refused{"BadHeader", "GET / HTTP/1.1\r\nHost: lb\r\nx y: z\r\n\r\n", 400},
        Refused{"NoLength", kPost + "\r\n", 411},
        Refused{"BadLength", kPost + "Content-Length: -1\r\n\r\n", 400},
        Refused{"TwoLengths", kPost + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400},
        Refused{"LengthAndChunks",
                kPost + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        Refused{"BadChunk", kPost + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
        Refused{"UnknownEncoding", kPost + "Transfer-Encoding: gzip\r\n\r\n", 501},
        Refused{"UnknownExpectation", kPost + "Content-Length: 0\r\nExpect: tea\r\n\r\n", 417},
        Refused{"LargeHeader",
                "GET / HTTP/1.1\r\nHost: lb\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n", 431},
        Refused{"LargeTarget", "GET /" + std::string(20'000, 'x') + " HTTP/1.1\r\n\r\n", 431},
        Refused{"LargeBody", kPost + "Content-Length: 9999999\r\n\r\n" + std::string(100'000, 'x'),
                413},
        Refused{"LargeChunks",
                kPost + "Transfer-Encoding: chunked\r\n\r\n900000\r\n" +
                    std::string(0x900000, 'x') + "\r\n0\r\n\r\n",
                413}),
    [](const auto& param) { return param.param.what; });

TEST(Session, HalfARequestTimesOut) {
  Running server(echo, hasty());
  Wire in_headers(server.path()), in_body(server.path()), idle(server.path());
  in_headers.say("GET / HTTP/1.1\r\nHo");
  in_body.say(kPost + "Content-Length: 5\r\n\r\nab");
  EXPECT_EQ(in_headers.hear()->status, 408);
  EXPECT_EQ(in_body.hear()->status, 408);
  EXPECT_TRUE(idle.ended());
}

TEST(Session, ASlowHeaderTimesOutThoughBytesKeepComing) {
  Running server(echo, hasty());
  Wire wire(server.path());
  wire.say("GET / HTTP/1.1\r\nX: ");
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 20; ++i) {
    wire.say("x");
    std::this_thread::sleep_for(20ms);
  }
  EXPECT_EQ(wire.hear()->status, 408);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
}

TEST(Session, AClientThatLeavesHalfwayHurtsNobody) {
  Running server(echo);
  for (int i = 0; i < 100; ++i) Wire(server.path()).say(kPost + "Content-Length: 5\r\n\r\nab");
  EXPECT_EQ(ask(server.path(), "GET", "/")->status, 200);
}

TEST(Session, AHandlerThatThrowsIsAnInternalError) {
  Running server([](Request) -> boost::asio::awaitable<Response> {
    throw std::runtime_error("broken");
    co_return Response{};
  });
  Wire wire(server.path());
  EXPECT_EQ(wire.ask("GET", "/")->status, 500);
  EXPECT_EQ(wire.ask("GET", "/")->status, 500);
}

// Pieces of one KiB; counts how many were made.
class Pieces final : public BodyStream {
 public:
  Pieces(int count, std::atomic<int>& made) : left_(count), made_(made) {}
  boost::asio::awaitable<std::string> next() override {
    if (left_-- <= 0) co_return "";
    ++made_;
    co_return std::string(1024, 'p');
  }

 private:
  int left_;
  std::atomic<int>& made_;
};

Handler streaming(int count, std::atomic<int>& made) {
  return [count, &made](Request) -> boost::asio::awaitable<Response> {
    Response response;
    response.content_type = "text/plain";
    response.stream = std::make_unique<Pieces>(count, made);
    co_return response;
  };
}

TEST(Session, StreamsInChunksAndKeepsAlive) {
  std::atomic<int> made = 0;
  Running server(streaming(1000, made));
  Wire wire(server.path());
  EXPECT_EQ(wire.ask("GET", "/")->body.size(), 1000u * 1024);
  EXPECT_EQ(wire.ask("HEAD", "/")->header("Transfer-Encoding"), "chunked");
  EXPECT_EQ(made, 1000);
  EXPECT_EQ(wire.ask("GET", "/")->body.size(), 1000u * 1024);
}

TEST(Session, StreamsToHttp10UntilTheEnd) {
  std::atomic<int> made = 0;
  Running server(streaming(3, made));
  Wire wire(server.path());
  wire.say("GET / HTTP/1.0\r\n\r\n");
  const auto answer = wire.hear();
  EXPECT_EQ(answer->header("Transfer-Encoding"), "");
  std::string body(3 * 1024, '\0');
  EXPECT_EQ(::recv(wire.fd(), body.data(), 0, 0), 0);
}

TEST(Session, AReaderThatStopsReadingStopsTheStreamAndIsLeft) {
  std::atomic<int> made = 0;
  Running server(streaming(1'000'000, made), hasty());
  Wire wire(server.path());
  wire.say("GET / HTTP/1.1\r\nHost: lb\r\n\r\n");
  std::this_thread::sleep_for(500ms);
  EXPECT_GT(made, 0);
  EXPECT_LT(made, 10'000);  // what the socket's buffers hold, not the million
  EXPECT_FALSE(wire.hear());
}

}  // namespace
}  // namespace http::testing
