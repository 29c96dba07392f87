#include "health/http_text.h"

#include <gtest/gtest.h>

#include "health/expected_codes.h"

namespace health {
namespace {

TEST(HttpText, Requests) {
  Target t;
  EXPECT_EQ(request_text(t), "GET / HTTP/1.0\r\nConnection: close\r\n\r\n");
  t.version = HttpVersion::v1_1;
  t.endpoint = {*base::IpAddress::parse("2001:db8::1"), 8080};
  t.path = "/health?x=1";
  EXPECT_EQ(request_text(t),
            "GET /health?x=1 HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\nConnection: close\r\n\r\n");
  t.domain_name = "www.example.com";
  t.method = "POST";
  EXPECT_EQ(request_text(t),
            "POST /health?x=1 HTTP/1.1\r\nHost: www.example.com\r\nContent-Length: 0\r\n"
            "Connection: close\r\n\r\n");
}

struct Arrival {
  std::string received;
  Reading reading;
};

TEST(HttpText, WhereTheHeaderEnds) {
  for (const Arrival& c : {
           Arrival{"", Reading::wanting},
           Arrival{"HTT", Reading::wanting},
           Arrival{"HTTP/1.1 200", Reading::wanting},
           Arrival{"HTTP/1.1 200 OK\r\nA: b\r\n", Reading::wanting},
           Arrival{"HTTP/1.1 200 OK\r\nA: b\r\n\r\n", Reading::complete},
           Arrival{"HTTP/1.0 200\n\n", Reading::complete},
           Arrival{"HTTP/1.1 200\r\n\r\nbody", Reading::complete},
           Arrival{"HTTP/1.1 200 OK\r\nA: " + std::string(kMaxResponseHeader, 'x'),
                   Reading::complete},
           Arrival{"SSH-2.0-OpenSSH", Reading::not_http},
           Arrival{"HTTP/1.1 2x0 ", Reading::not_http},
           Arrival{"HTTP/1.1 2000 OK\r\n\r\n", Reading::not_http},
           Arrival{"http/1.1 200 OK\r\n\r\n", Reading::not_http},
           Arrival{"\n\n", Reading::not_http},
       })
    EXPECT_EQ(examine(c.received), c.reading) << c.received.substr(0, 60);
}

TEST(HttpText, TheStatusDecides) {
  Target t;
  t.expected = *parse_expected_codes("200-204,301");
  EXPECT_EQ(judge("HTTP/1.1 204 No Content\r\n\r\n", t).kind, Probed::Kind::success);
  EXPECT_EQ(judge("HTTP/1.1 204 No Content\r\n\r\n", t).reason, "HTTP 204");
  EXPECT_EQ(judge("HTTP/1.1 503 X\r\n\r\n", t).kind, Probed::Kind::failure);
  EXPECT_EQ(judge("HTTP/1.1 503 X\r\n\r\n", t).reason, "HTTP 503, expected 200-204,301");
}

}  // namespace
}  // namespace health
