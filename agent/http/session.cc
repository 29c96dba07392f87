#include "agent/http/session.h"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/read_size.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <charconv>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "agent/http/response.h"
#include "base/log.h"

namespace http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;
using std::chrono::milliseconds;

using Parser = beast::http::request_parser<beast::http::string_body>;
using Head = beast::http::response<beast::http::empty_body>;

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr milliseconds kLinger{2'000};  // for what a refused client still sends
constexpr size_t kLingerBytes = 16 * 1024 * 1024;
constexpr size_t kReadBytes = 64 * 1024;  // at once, at most

// Ends an operation of the transport that takes too long: it completes with operation_aborted.
class Deadline {
 public:
  Deadline(const std::shared_ptr<Transport>& transport, milliseconds after)
      : timer_(transport->socket().get_executor(), after),
        state_(std::make_shared<State>(State::running)) {
    timer_.async_wait([weak = std::weak_ptr(transport), state = state_](error_code) {
      const auto alive = weak.lock();
      if (!alive || *state != State::running) return;
      *state = State::expired;
      alive->cancel();
    });
  }
  // The timer's handler may be on its way already: it must not end the next operation.
  ~Deadline() {
    if (*state_ == State::running) *state_ = State::over;
  }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  bool expired() const { return *state_ == State::expired; }

 private:
  enum class State { running, expired, over };

  asio::steady_timer timer_;
  std::shared_ptr<State> state_;
};

// Why a connection ends, and what is said before.
struct Ending {
  std::optional<Response> last_words = {};
  int status = 0;  // 0: nothing, or `last_words`
  std::string text = {};
};

Ending quietly() { return {}; }
Ending saying(int status, std::string text) { return {std::nullopt, status, std::move(text)}; }

Ending ending_for(const error_code& error, const Limits& limits) {
  if (error == beast::http::error::header_limit || error == beast::http::error::buffer_overflow)
    return saying(431, "Request header fields are larger than " +
                           std::to_string(limits.header_bytes) + " bytes.");
  if (error == beast::http::error::body_limit)
    return saying(413,
                  "Request body is larger than " + std::to_string(limits.body_bytes) + " bytes.");
  const bool of_parser =
      error.category() == make_error_code(beast::http::error::bad_method).category();
  const bool cut_off =
      error == beast::http::error::end_of_stream || error == beast::http::error::partial_message;
  if (!of_parser || cut_off) return quietly();
  return saying(400, "The request is not valid HTTP: " + error.message() + ".");
}

// What the headers alone decide.
std::optional<Ending> check_headers(const Parser& parser) {
  const auto& request = parser.get();
  const bool has_length = parser.content_length().has_value();
  if (request.version() != 11 && request.version() != 10)
    return saying(505, "Only HTTP/1.1 is supported.");
  const auto hosts = request.count(beast::http::field::host);
  if (request.version() == 11 && hosts == 0) return saying(400, "The request has no Host header.");
  if (hosts > 1) return saying(400, "The request has more than one Host header.");
  if (request.find(beast::http::field::transfer_encoding) != request.end() && !parser.chunked())
    return saying(501, "The only supported transfer encoding is chunked.");
  if (parser.chunked() && request.find(beast::http::field::content_length) != request.end())
    return saying(400, "The request has both Content-Length and Transfer-Encoding.");
  const bool carries_body =
      request.method() == beast::http::verb::post || request.method() == beast::http::verb::put;
  if (carries_body && !has_length && !parser.chunked())
    return saying(411, "The request needs Content-Length or Transfer-Encoding: chunked.");
  const auto expect = request.find(beast::http::field::expect);
  if (expect != request.end() && !beast::iequals(expect->value(), "100-continue"))
    return saying(417, "The only supported expectation is 100-continue.");
  return std::nullopt;
}

// A request as far as its headers go.
Request head_of(const Parser::value_type& request, const char* scheme) {
  const auto text = [](beast::string_view view) { return std::string(view); };
  Request head{text(request.method_string()),
               text(request.target()),
               text(request[beast::http::field::host]),
               scheme,
               text(request["X-Auth-Token"]),
               "",
               text(request["X-Project-Id"])};
  const std::string bearer = text(request[beast::http::field::authorization]);
  constexpr std::string_view kBearer = "bearer ";
  if (head.token.empty() && beast::iequals(bearer.substr(0, kBearer.size()), kBearer.data()))
    head.token = bearer.substr(kBearer.size());
  return head;
}

// "HTTP/1.1 200 OK", and the fields, up to the empty line.
std::string text_of(const Head& head) {
  const auto add = [](std::string& to, beast::string_view text) {
    to.append(text.data(), text.size());
  };
  std::string out = head.version() == 11 ? "HTTP/1.1 " : "HTTP/1.0 ";
  out += std::to_string(head.result_int()) + " ";
  add(out, head.reason());
  out += "\r\n";
  for (const auto& field : head) {
    add(out, field.name_string());
    out += ": ";
    add(out, field.value());
    out += "\r\n";
  }
  return out + "\r\n";
}

// What a chunk of so many bytes begins with; none: the end of all.
std::string chunk_head(size_t bytes) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), bytes, 16).ptr;
  return std::string(digits.data(), end) + "\r\n";
}

class Session {
 public:
  Session(std::shared_ptr<Transport> transport, Service service)
      : transport_(std::move(transport)),
        limits_(service.limits),
        handler_(std::move(service.handler)),
        guard_(std::move(service.guard)),
        words_(std::move(service.words)),
        let_in_(std::move(service.let_in)),
        buffer_(limits_.header_bytes + 4096) {}

  asio::awaitable<void> serve() {
    const bool met = co_await greet();
    if (met) co_await converse();
    if (met) co_await part();
  }

  // For a peer that may still be sending: it shall read the answer, not a reset.
  asio::awaitable<void> end_with(Response response) {
    // NOLINTNEXTLINE(bugprone-use-after-move): clang 14 takes a suspension for a way back
    if (!co_await write(std::move(response), false, false, 11)) co_return;
    co_await part();
    error_code error;
    auto& socket = transport_->socket();
    socket.shutdown(asio::socket_base::shutdown_send, error);
    Deadline deadline(transport_, kLinger);
    std::string sink(16 * 1024, '\0');
    for (size_t total = 0; !error && total < kLingerBytes;) {
      auto token = asio::redirect_error(asio::use_awaitable, error);
      total += co_await socket.async_read_some(asio::buffer(sink), token);
    }
  }

 private:
  enum class Until { header, end };

  // Of a time limit, what is left of it for who was not let in yet.
  milliseconds at_most(milliseconds usual) const {
    if (!let_in_) return usual;
    const auto passed = std::chrono::steady_clock::now() - began_;
    const auto left = limits_.first - std::chrono::duration_cast<milliseconds>(passed);
    return std::max(milliseconds(0), std::min(usual, left));
  }

  // False: they did not come to speak TLS with us.
  asio::awaitable<bool> greet() {
    Deadline deadline(transport_, at_most(limits_.header));
    const error_code error = co_await transport_->greet();
    co_return !error;
  }

  asio::awaitable<void> part() {
    if (std::exchange(parted_, true)) co_return;
    Deadline deadline(transport_, kLinger);
    (void)co_await transport_->part();
  }

  asio::awaitable<void> converse() {
    for (;;) {
      Parser parser;
      parser.header_limit(limits_.header_bytes);
      parser.body_limit(limits_.body_bytes);
      auto ending = co_await read(parser);
      if (ending) {
        if (ending->status != 0) ending->last_words = worded(words_, ending->status, ending->text);
        if (ending->last_words) co_await end_with(std::move(*ending->last_words));
        co_return;
      }
      auto request = parser.release();
      const bool head = request.method() == beast::http::verb::head;
      const bool keep_alive = request.keep_alive();
      auto response = co_await answer(request);
      const bool sent = co_await write(std::move(response), head, keep_alive, request.version());
      if (!sent || !keep_alive) co_return;
    }
  }

  asio::awaitable<std::optional<Ending>> read(Parser& parser) {
    auto ending = co_await wait_for_request();
    if (ending) co_return ending;
    ending = co_await read_headers(parser);
    if (!ending) ending = check_headers(parser);
    if (!ending && guard_)
      if (auto refusal = guard_(head_of(parser.get(), transport_->scheme())))
        ending = Ending{std::move(refusal), 0, {}};
    if (!ending && let_in_) std::exchange(let_in_, nullptr)();
    if (!ending) ending = co_await read_body(parser);
    co_return ending;
  }

  asio::awaitable<std::optional<Ending>> wait_for_request() {
    if (buffer_.size() != 0) co_return std::nullopt;  // pipelined
    Deadline deadline(transport_, at_most(limits_.idle));
    const auto got = co_await transport_->read_some(buffer_.prepare(4096));
    buffer_.commit(got.bytes);
    if (got.error || got.bytes == 0) co_return quietly();
    co_return std::nullopt;
  }

  asio::awaitable<std::optional<Ending>> read_headers(Parser& parser) {
    Deadline deadline(transport_, at_most(limits_.header));
    const error_code error = co_await feed(parser, Until::header);
    if (deadline.expired()) co_return saying(408, "The request's headers took too long.");
    if (error) co_return ending_for(error, limits_);
    co_return std::nullopt;
  }

  asio::awaitable<std::optional<Ending>> read_body(Parser& parser) {
    error_code error;
    Deadline deadline(transport_, limits_.body);
    const auto& request = parser.get();
    const bool waits = request.find(beast::http::field::expect) != request.end() &&
                       request.version() == 11 && !parser.is_done() && buffer_.size() == 0;
    if (waits) error = co_await transport_->write(all_of(kContinue));
    if (!error) error = co_await feed(parser, Until::end);
    if (deadline.expired()) co_return saying(408, "The request's body took too long.");
    if (error) co_return ending_for(error, limits_);
    co_return std::nullopt;
  }

  // Hands the parser what comes, until it has seen so much.
  asio::awaitable<error_code> feed(Parser& parser, Until until) {
    parser.eager(until == Until::end);
    error_code error;
    while (!error && !(until == Until::end ? parser.is_done() : parser.is_header_done())) {
      if (buffer_.size() != 0) {
        buffer_.consume(parser.put(buffer_.data(), error));
        if (error != beast::http::error::need_more) continue;
      }
      error = co_await fill(parser);
    }
    co_return error;
  }

  asio::awaitable<error_code> fill(Parser& parser) {
    const size_t room = beast::read_size(buffer_, kReadBytes);
    if (room == 0) co_return beast::http::error::buffer_overflow;
    const auto got = co_await transport_->read_some(buffer_.prepare(room));
    buffer_.commit(got.bytes);
    if (got.error != asio::error::eof) co_return got.error;
    if (!parser.got_some()) co_return beast::http::error::end_of_stream;
    error_code error;
    parser.put_eof(error);
    co_return error;
  }

  asio::awaitable<Response> answer(const Parser::value_type& request) {
    Request whole = head_of(request, transport_->scheme());
    whole.body = request.body();
    std::string failure;
    try {
      auto response = co_await handler_(std::move(whole));
      co_return response;
    } catch (const std::exception& e) {
      failure = e.what();
    }
    // Only what nobody foresaw comes here: out of memory, a defect. The others go on.
    spdlog::error("control: {} {}: {}", std::string(request.method_string()),
                  std::string(request.target()), failure);
    co_return worded(words_, 500, "Internal error; the agent's log has the details.");
  }

  asio::awaitable<bool> write(Response response, bool head, bool keep_alive, unsigned version) {
    Head reply(static_cast<beast::http::status>(response.status), version);
    reply.set(beast::http::field::server, "amphora-xdp/" AMPHORA_XDP_VERSION);
    for (const auto& [name, value] : response.headers) reply.set(name, value);
    if (response.stream || !response.body.empty())
      reply.set(beast::http::field::content_type, response.content_type);
    // HTTP/1.0 knows no chunks: the end of the connection ends the body.
    const bool chunked = response.stream && version == 11;
    const bool stays = keep_alive && (chunked || !response.stream);
    reply.keep_alive(stays);
    if (chunked) reply.chunked(true);
    if (!response.stream) reply.content_length(response.body.size());
    const std::string text = text_of(reply);
    const bool sent = co_await send(all_of(text, head ? std::string_view() : response.body));
    if (!sent || !response.stream) co_return sent;
    if (head) co_return stays;
    co_return co_await write_stream(*response.stream, chunked);
  }

  asio::awaitable<bool> write_stream(BodyStream& body, bool chunked) {
    for (;;) {
      const std::string piece = co_await body.next();
      if (piece.empty()) break;
      const std::string before = chunked ? chunk_head(piece.size()) : "";
      const bool sent = co_await send(all_of(before, piece, chunked ? "\r\n" : ""));
      if (!sent) co_return false;
    }
    if (!chunked) co_return false;
    const std::string last = chunk_head(0) + "\r\n";
    co_return co_await send(all_of(last));
  }

  // What they point to stays until it has left.
  static Transport::Buffers all_of(std::string_view first, std::string_view second = {},
                                   std::string_view third = {}) {
    return {asio::buffer(first), asio::buffer(second), asio::buffer(third)};
  }

  asio::awaitable<bool> send(Transport::Buffers all) {
    Deadline deadline(transport_, limits_.write);
    const error_code error = co_await transport_->write(all);
    co_return !error;
  }

  std::shared_ptr<Transport> transport_;
  Limits limits_;
  Handler handler_;
  Guard guard_;
  Words words_;
  std::function<void()> let_in_;  // null: was called, or nobody asks
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  beast::flat_buffer buffer_;
  bool parted_ = false;
};

}  // namespace

Response worded(const Words& words, int status, const std::string& text) {
  return words ? words(status, text) : fault_response({status, text});
}

asio::awaitable<void> serve(std::shared_ptr<Transport> transport, Service service) {
  Session session(std::move(transport), std::move(service));
  co_await session.serve();  // NOLINT(bugprone-use-after-move): as above
}

asio::awaitable<void> turn_away(std::shared_ptr<Transport> transport, Limits limits,
                                Response response) {
  Session session(std::move(transport), {limits, {}, {}, {}, {}});
  co_await session.end_with(std::move(response));  // NOLINT(bugprone-use-after-move): as above
}

}  // namespace http
