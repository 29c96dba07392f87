#include "agent/pair/channel.h"

#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cstring>
#include <utility>
#include <vector>

#include "agent/pair/sockets.h"
#include "base/log.h"

namespace pair {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstRetry{100}, kLastRetry{2000}, kWatchEvery{250};
constexpr std::chrono::hours kLong{24};
constexpr char kIdentity[] = "amphora-xdp";

Time now() { return std::chrono::steady_clock::now(); }

int key_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

const Key& key_of(const SSL* ssl) {
  return *static_cast<const Key*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), key_index()));
}

unsigned give_key(const SSL* ssl, unsigned char* into, unsigned room) {
  const Key& key = key_of(ssl);
  if (room < key.size()) return 0;
  std::copy(key.begin(), key.end(), into);
  return static_cast<unsigned>(key.size());
}

unsigned dials(SSL* ssl, const char*, char* identity, unsigned room, unsigned char* key,
               unsigned key_room) {
  if (room < sizeof(kIdentity)) return 0;
  std::memcpy(identity, kIdentity, sizeof(kIdentity));
  return give_key(ssl, key, key_room);
}

unsigned answers(SSL* ssl, const char* identity, unsigned char* key, unsigned key_room) {
  return std::strcmp(identity, kIdentity) == 0 ? give_key(ssl, key, key_room) : 0;
}

}  // namespace

struct Channel::Tls {
  explicit Tls(const Key& both) : key(both) {
    for (asio::ssl::context* context : {&dialling, &answering}) {
      SSL_CTX* native = context->native_handle();
      SSL_CTX_set_min_proto_version(native, TLS1_3_VERSION);
      SSL_CTX_set_ciphersuites(native, "TLS_AES_128_GCM_SHA256");  // what such a key is for
      SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
      SSL_CTX_set_num_tickets(native, 0);
      SSL_CTX_set_ex_data(native, key_index(), &key);
    }
    SSL_CTX_set_psk_client_callback(dialling.native_handle(), dials);
    SSL_CTX_set_psk_server_callback(answering.native_handle(), answers);
  }

  Key key;
  asio::ssl::context dialling{asio::ssl::context::tls_client};
  asio::ssl::context answering{asio::ssl::context::tls_server};
};

struct Channel::Line {
  Line(Socket socket, std::shared_ptr<Tls> by, asio::ssl::context& context, uint64_t number)
      : tls(std::move(by)), stream(std::move(socket), context), aim(number) {}

  Socket& socket() { return stream.next_layer(); }
  std::shared_ptr<Tls> tls;  // whose key it is by
  asio::ssl::stream<Socket> stream;
  uint64_t aim;  // the target that it is with
  Time heard = now();
  bool greeted = false;  // by the other node's session: it is one that can be spoken with
  bool ended = false;
};

Channel::Channel(asio::any_io_executor loop, Session& session)
    : loop_(loop), session_(session), rest_(loop) {}

Channel::~Channel() = default;

void Channel::aim(std::optional<Target> target) {
  if (stopped_ || target == target_) return;
  leave();
  target_ = std::move(target);
  tls_ = target_ ? std::make_shared<Tls>(target_->key) : nullptr;
  aims_++;
}

void Channel::stop() {
  stopped_ = true;
  leave();
}

// Whoever it was with.
void Channel::leave() {
  if (port_) port_->close();
  port_.reset();
  if (const auto line = line_) end(*line, "");
  if (const auto line = dialled_) end(*line, "");
  session_.fail("");
  trouble_.clear();
  rest_.cancel();
}

asio::awaitable<void> Channel::run() {
  while (!stopped_) {
    const uint64_t aim = aims_;
    if (target_ && (!is_dialling() || target_->haproxy)) listen();
    if (is_dialling()) co_await dial();
    while (!stopped_ && aim == aims_) co_await rest(kLong);
  }
}

void Channel::listen() {
  Port::Wants wants;
  wants.ours = [this](Socket socket) { answer(std::move(socket)); };
  wants.trouble = [this](const std::string& what) { say(what); };
  wants.haproxy = target_->haproxy;
  port_ = std::make_shared<Port>(loop_, Port::Place{target_->own, target_->peer, target_->port},
                                 std::move(wants), counts_);
  asio::co_spawn(loop_, port_->run(), asio::detached);
}

asio::awaitable<void> Channel::pause(milliseconds time) {
  error_code ignored;
  asio::steady_timer timer(loop_, time);
  co_await timer.async_wait(into(ignored));
}

// Until then, or until there is another target.
asio::awaitable<void> Channel::rest(milliseconds time) {
  error_code ignored;
  rest_.expires_after(time);
  co_await rest_.async_wait(into(ignored));
}

void Channel::say(const std::string& trouble) {
  if (!trouble.empty()) session_.fail(trouble);
  if (trouble == trouble_) return;
  trouble_ = trouble;
  if (!trouble.empty() && target_) spdlog::warn("pair: {}: {}", target_->peer.text(), trouble);
}

void Channel::end(Line& line, const std::string& why) {
  if (std::exchange(line.ended, true)) return;
  error_code ignored;
  line.socket().close(ignored);
  if (line_.get() == &line) {
    line_.reset();
    session_.finish(why);
  }
  if (line.aim == aims_) say(why);
}

asio::awaitable<void> Channel::dial() {
  milliseconds retry = kFirstRetry;
  const uint64_t aim = aims_;
  while (!stopped_ && aim == aims_) {
    auto line = std::make_shared<Line>(Socket(loop_), tls_, tls_->dialling, aim);
    dialled_ = line;
    asio::co_spawn(loop_, watch(line), asio::detached);
    error_code error;
    const tcp::endpoint from = endpoint(target_->own, 0);
    line->socket().open(from.protocol(), error);
    if (!error) line->socket().bind(from, error);
    if (!error)
      co_await line->socket().async_connect(endpoint(target_->peer, target_->port), into(error));
    if (error) {
      end(*line, "cannot be reached: " + error.message());
    } else {
      co_await greet(line);
      co_await serve(line);
      if (line->greeted) retry = kFirstRetry;
    }
    if (dialled_ == line) dialled_.reset();
    if (stopped_ || aim != aims_) co_return;
    co_await rest(retry);
    retry = std::min(2 * retry, kLastRetry);
  }
}

// Who dials is not dialled.
void Channel::answer(Socket socket) {
  if (is_dialling()) return;
  auto line = std::make_shared<Line>(std::move(socket), tls_, tls_->answering, aims_);
  asio::co_spawn(loop_, watch(line), asio::detached);
  auto both = [](Channel& channel, std::shared_ptr<Line> one) -> asio::awaitable<void> {
    co_await channel.greet(one);
    co_await channel.serve(one);
  };
  asio::co_spawn(loop_, both(*this, line), asio::detached);
}

// Who has the key is the other node. A newer channel replaces the one before: that node has begun
// anew, and its end of the old one is gone.
asio::awaitable<void> Channel::greet(std::shared_ptr<Line> line) {
  error_code error;
  if (line->ended) co_return;
  const auto side = is_dialling() ? asio::ssl::stream_base::client : asio::ssl::stream_base::server;
  line->socket().set_option(tcp::no_delay(true), error);
  co_await line->stream.async_handshake(side, into(error));
  if (error) {
    end(*line, "does not speak as this node does, or has another key: " + error.message());
  } else if (SSL_session_reused(line->stream.native_handle()) != 1) {
    end(*line, "does not have the key");  // but perhaps a certificate, which proves nothing here
  }
}

asio::awaitable<void> Channel::serve(std::shared_ptr<Line> line) {
  if (line->ended || line->aim != aims_ || stopped_) co_return;
  if (line_) end(*line_, "has begun another channel");
  line_ = line;
  line->heard = now();
  asio::co_spawn(loop_, write(line), asio::detached);
  co_await read(line);
}

asio::awaitable<void> Channel::read(std::shared_ptr<Line> line) {
  std::array<uint8_t, kHeaderBytes> head{};
  std::vector<uint8_t> body;
  while (line_ == line) {
    error_code error;
    co_await asio::async_read(line->stream, asio::buffer(head), into(error));
    if (error) co_return end(*line, "the channel ended: " + error.message());
    const auto header = decode_header(head);
    if (!header) co_return end(*line, header.error().message());
    body.resize(header->bytes);
    co_await asio::async_read(line->stream, asio::buffer(body), into(error));
    if (error) co_return end(*line, "the channel ended: " + error.message());
    if (line_ != line) co_return;
    line->heard = now();
    const bool was_connected = session_.is_connected();
    const auto taken = session_.take(header->type, body, now());
    if (!taken) co_return end(*line, taken.error().message());
    if (!was_connected && session_.is_connected()) {
      line->greeted = true;
      say("");
      spdlog::info("pair: {}: connected", target_->peer.text());
    }
  }
}

// As long as the socket takes nothing, nothing is read from the flow table.
asio::awaitable<void> Channel::write(std::shared_ptr<Line> line) {
  std::string out = session_.begin();
  while (line_ == line) {
    error_code error;
    if (!out.empty()) co_await asio::async_write(line->stream, asio::buffer(out), into(error));
    if (error) co_return end(*line, "the channel ended: " + error.message());
    if (!session_.has_more())
      co_await pause(session_.tick());
    else if (out.empty())
      co_await asio::post(loop_, asio::use_awaitable);
    if (line_ != line) co_return;
    out = session_.produce(now());
  }
}

// Connecting and greeting, too, take no longer.
asio::awaitable<void> Channel::watch(std::shared_ptr<Line> line) {
  while (!line->ended && !stopped_) {
    if (line->aim != aims_) co_return end(*line, "");
    if (now() - line->heard > kSilence) co_return end(*line, "says nothing");
    co_await pause(kWatchEvery);
  }
}

}  // namespace pair
