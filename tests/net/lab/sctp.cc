// lab_sctp: both ends of SCTP, in user space (usrsctp on raw sockets), since not every kernel has
// it.
//   serve   a member: answers each message by its name, a newline and the message. "BYE" it answers
//           by SHUTDOWN, "ABORT" by ABORT. Until it is terminated.
//   talk    associations one after the other: so many messages, the right answers, an end. Prints
//           one JSON object: report.h, and how the associations ended.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>
#include <usrsctp.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/net/lab/report.h"

namespace {

constexpr uint32_t kRetransmitMs = 300;  // at first; nothing here is far away
constexpr unsigned kDeadlineSeconds = 60;
constexpr std::string_view kBye = "BYE", kAbort = "ABORT";

struct Close {
  void operator()(struct socket* socket) const { usrsctp_close(socket); }
};
using Socket = std::unique_ptr<struct socket, Close>;

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

Address address_of(const std::string& text, uint16_t port) {
  Address address;
  auto* four = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* six = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (inet_pton(AF_INET, text.c_str(), &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons(port);
    address.size = sizeof(*four);
  } else if (inet_pton(AF_INET6, text.c_str(), &six->sin6_addr) == 1) {
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(port);
    address.size = sizeof(*six);
  } else {
    throw CLI::ValidationError("address", text + " is none");
  }
  return address;
}

Socket open_socket(const Address& address) {
  return Socket(usrsctp_socket(address.storage.ss_family, SOCK_STREAM, IPPROTO_SCTP, nullptr,
                               nullptr, 0, nullptr));
}

bool send(struct socket* socket, std::string_view message) {
  return usrsctp_sendv(socket, message.data(), message.size(), nullptr, 0, nullptr, 0,
                       SCTP_SENDV_NOINFO, 0) == static_cast<ssize_t>(message.size());
}

struct Received {
  std::string message;
  int error = 0;  // errno
  bool is_end() const { return message.empty() && error == 0; }
};

// The next message, in one piece.
Received receive(struct socket* socket) {
  Received received;
  std::vector<char> piece(1 << 16);
  for (int flags = 0; (flags & MSG_EOR) == 0;) {
    socklen_t from = 0, info = 0;
    unsigned type = 0;
    flags = 0;
    const ssize_t got = usrsctp_recvv(socket, piece.data(), piece.size(), nullptr, &from, nullptr,
                                      &info, &type, &flags);
    if (got < 0) received.error = errno;
    if (got <= 0) break;
    received.message.append(piece.data(), static_cast<size_t>(got));
  }
  return received;
}

void abort_association(Socket socket) {
  const linger now{1, 0};
  usrsctp_setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

// ---- a member ---------------------------------------------------------------------------------

void converse(Socket socket, const std::string& name) {
  for (;;) {
    const Received received = receive(socket.get());
    if (received.error != 0) std::printf("%s: %s\n", name.c_str(), std::strerror(received.error));
    std::fflush(stdout);
    if (received.is_end() || received.error != 0 || received.message == kBye) return;
    if (received.message == kAbort) return abort_association(std::move(socket));
    if (!send(socket.get(), name + "\n" + received.message)) return;
  }
}

void accept_all(struct socket* listening, const std::string& name) {
  for (;;) {
    Socket socket(usrsctp_accept(listening, nullptr, nullptr));
    if (socket) std::thread(converse, std::move(socket), name).detach();
  }
}

int serve(const std::string& name, const std::vector<std::string>& addresses, uint16_t port) {
  std::vector<Socket> listening;
  std::vector<std::thread> threads;
  for (const std::string& text : addresses) {
    Address address = address_of(text, port);
    listening.push_back(open_socket(address));
    if (!listening.back() ||
        usrsctp_bind(listening.back().get(), address.get(), address.size) != 0 ||
        usrsctp_listen(listening.back().get(), 64) != 0)
      return std::perror(text.c_str()), 1;
    threads.emplace_back(accept_all, listening.back().get(), name);
  }
  std::puts("ready");
  std::fflush(stdout);
  for (std::thread& thread : threads) thread.join();
  return 0;
}

// ---- a client ---------------------------------------------------------------------------------

enum class End { shutdown, abort, member_shutdown, member_abort, none };

struct Talk {
  std::string target;
  uint16_t port = 0, source_port = 0;  // 0: any
  int associations = 1, messages = 1;
  size_t bytes = 100;
  unsigned pause_ms = 0;  // before each message
  End end = End::shutdown;
};

std::string message_of(size_t bytes, int number) {
  std::string message = std::to_string(number) + " ";
  while (message.size() < bytes) message += static_cast<char>('a' + message.size() % 26);
  message.resize(bytes);
  return message;
}

// How it ended; nullopt: not as it was meant to. End::none: by somebody else.
std::optional<std::string> end(Socket socket, End how) {
  if (how == End::abort) return abort_association(std::move(socket)), "abort";
  if (how == End::shutdown && usrsctp_shutdown(socket.get(), SHUT_WR) != 0) return std::nullopt;
  if (how == End::member_shutdown && !send(socket.get(), kBye)) return std::nullopt;
  if (how == End::member_abort && !send(socket.get(), kAbort)) return std::nullopt;
  const Received last = receive(socket.get());
  if (last.error == ECONNRESET || last.error == ECONNABORTED) return "aborted";
  return last.is_end() ? std::optional("shutdown") : std::nullopt;
}

void talk_once(const Talk& talk, lab::Report& report, std::map<std::string, int>& ends) {
  std::string member;
  Address target = address_of(talk.target, talk.port);
  Socket socket = open_socket(target);
  const bool is_six = target.storage.ss_family == AF_INET6;
  Address own = address_of(is_six ? "::" : "0.0.0.0", talk.source_port);
  report.connections++;
  if (talk.source_port != 0 && usrsctp_bind(socket.get(), own.get(), own.size) != 0)
    return report.fail(member, std::string("bind: ") + std::strerror(errno));
  if (usrsctp_connect(socket.get(), target.get(), target.size) != 0)
    return report.fail(member, std::string("connect: ") + std::strerror(errno));
  for (int i = 0; i < talk.messages; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(talk.pause_ms));
    const std::string message = message_of(talk.bytes, i);
    if (!send(socket.get(), message))
      return report.fail(member, std::string("send: ") + std::strerror(errno));
    const Received answer = receive(socket.get());
    if (answer.message.empty())
      return report.fail(member, std::string("receive: ") + std::strerror(answer.error));
    member = answer.message.substr(0, answer.message.find('\n'));
    if (answer.message != member + "\n" + message) return report.fail(member, "another answer");
    report.requests++;
  }
  ++report.members[member].answered;
  const auto how = end(std::move(socket), talk.end);
  if (how)
    ++ends[*how];
  else
    report.fail(member, "end: it did not come");
}

int run(const Talk& talk) {
  lab::Report report;
  std::map<std::string, int> ends;
  alarm(kDeadlineSeconds);
  for (int i = 0; i < talk.associations; ++i) talk_once(talk, report, ends);
  nlohmann::json json = report.json();
  json["ends"] = ends;
  std::puts(json.dump().c_str());
  // What is said last must get out.
  for (int i = 0; i < 100 && usrsctp_finish() != 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  return report.error_count() == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Both ends of SCTP.");
  app.require_subcommand(1);
  std::string name;
  std::vector<std::string> addresses;
  Talk options;
  auto* serving = app.add_subcommand("serve", "answers");
  serving->add_option("--name", name)->required();
  serving->add_option("--address", addresses, "may be repeated")->required();
  auto* talking = app.add_subcommand("talk", "asks");
  talking->add_option("--target", options.target, "an address")->required();
  for (CLI::App* command : {serving, talking})
    command->add_option("--port", options.port)->required();
  talking->add_option("--source-port", options.source_port);
  talking->add_option("--associations", options.associations);
  talking->add_option("--messages", options.messages, "of each");
  talking->add_option("--bytes", options.bytes, "of each message");
  talking->add_option("--pause-ms", options.pause_ms, "before each message");
  const std::map<std::string, End> ends{{"shutdown", End::shutdown},
                                        {"abort", End::abort},
                                        {"member-shutdown", End::member_shutdown},
                                        {"member-abort", End::member_abort},
                                        {"none", End::none}};
  talking->add_option("--end", options.end)->transform(CLI::CheckedTransformer(ends));
  CLI11_PARSE(app, argc, argv);
  usrsctp_init(0, nullptr, nullptr);
  usrsctp_sysctl_set_sctp_rto_initial_default(kRetransmitMs);
  usrsctp_sysctl_set_sctp_rto_min_default(kRetransmitMs);
  return serving->parsed() ? serve(name, addresses, options.port) : run(options);
}
