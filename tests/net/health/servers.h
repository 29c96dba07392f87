// Members of the kinds that answer with more than their kernel does. Each serves on the loop until
// the loop goes.
#pragma once

#include <openssl/ssl.h>

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/fd.h"

namespace health_test {

// What a server heard, and what it says next.
struct Talk {
  std::string answer;                 // as it stands; "" leaves the connection open and silent
  std::vector<std::string> requests;  // SCTP: packets without IP header
  std::vector<std::string> names;     // SNI
  int connections = 0;
  int resets = 0;  // connections that the prober ended with RST
};

// Reads until an empty line, says `answer`, waits for the end.
void serve_http(boost::asio::io_context& loop, base::Fd listener, std::shared_ptr<Talk> talk);

// Says `answer` to whatever comes first.
void serve_bytes(boost::asio::io_context& loop, base::Fd listener, std::shared_ptr<Talk> talk);

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using Context = std::shared_ptr<SSL_CTX>;
Context self_signed();  // a certificate made now

// serve_http() through TLS.
void serve_https(boost::asio::io_context& loop, base::Fd listener, Context context,
                 std::shared_ptr<Talk> talk);

enum class SctpManner { accepts, aborts, wrong_tag, broken_checksum };
void serve_sctp(boost::asio::io_context& loop, base::Fd raw, SctpManner manner,
                std::shared_ptr<Talk> talk);

}  // namespace health_test
