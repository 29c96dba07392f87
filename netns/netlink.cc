#include "netns/netlink.h"

#include <netlink/attr.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>

#include "netns/namespace.h"

namespace netns {

namespace {

using base::Error;
using base::Family;
using base::Fd;
using base::IpAddress;
using base::Result;
using base::Unit;

constexpr size_t kMessageSize = 512;
constexpr int kReceiveBuffer = 4 << 20;
constexpr size_t kPerSend = 128;  // answers to so many fit any receive buffer

// Which errno a message carries; 0 for an acknowledgement, nullopt if it is neither.
std::optional<int> error_in(const nlmsghdr& message) {
  if (message.nlmsg_type != NLMSG_ERROR || !fits<nlmsgerr>(message)) return std::nullopt;
  return -header_of<nlmsgerr>(message).error;
}

// The kernel's own words, if it has some.
std::string explanation_in(const nlmsghdr& message) {
  if (!(message.nlmsg_flags & NLM_F_ACK_TLVS)) return "";
  const nlmsgerr& error = header_of<nlmsgerr>(message);
  size_t skip = sizeof(nlmsgerr);
  if (!(message.nlmsg_flags & NLM_F_CAPPED)) skip += error.msg.nlmsg_len - sizeof(nlmsghdr);
  if (message.nlmsg_len < NLMSG_LENGTH(skip)) return "";
  std::optional<std::string> text = Attributes(message, skip).text(NLMSGERR_ATTR_MSG);
  return text ? " (" + *text + ")" : "";
}

Result<Fd> open_socket(int namespace_fd, int type, int protocol) {
  return run_in(namespace_fd, [type, protocol]() -> Result<Fd> {
    Fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | type, protocol));
    if (!fd.valid()) return Error{errno, "open a netlink socket"};
    // A socket without an address hears of nothing.
    sockaddr_nl any{};
    any.nl_family = AF_NETLINK;
    if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&any), sizeof(any)) != 0)
      return Error{errno, "bind a netlink socket"};
    int on = 1, size = kReceiveBuffer;
    if (::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0)
      ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    ::setsockopt(fd.get(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
    ::setsockopt(fd.get(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
    return fd;
  });
}

}  // namespace

uint8_t address_family(Family family) { return family == Family::ipv4 ? AF_INET : AF_INET6; }

std::optional<Family> family_of(uint8_t address_family) {
  if (address_family == AF_INET) return Family::ipv4;
  if (address_family == AF_INET6) return Family::ipv6;
  return std::nullopt;
}

Message::Message(uint16_t type, int flags, std::span<const std::byte> header)
    : message_(nlmsg_alloc_size(kMessageSize)) {
  nlmsghdr* h = nlmsg_put(message_.get(), 0, 0, type, 0, NLM_F_REQUEST | flags);
  assert(h != nullptr);
  (void)h;
  [[maybe_unused]] int err = nlmsg_append(message_.get(), const_cast<std::byte*>(header.data()),
                                          header.size(), NLMSG_ALIGNTO);
  assert(err == 0);
}

Message& Message::put(int attribute, std::span<const std::byte> value) {
  [[maybe_unused]] int err =
      nla_put(message_.get(), attribute, static_cast<int>(value.size()), value.data());
  assert(err == 0);
  return *this;
}

Message& Message::put(int attribute, uint8_t value) {
  return put(attribute, std::as_bytes(std::span(&value, 1)));
}

Message& Message::put(int attribute, uint32_t value) {
  return put(attribute, std::as_bytes(std::span(&value, 1)));
}

Message& Message::put(int attribute, const std::string& value) {
  return put(attribute, std::as_bytes(std::span(value.c_str(), value.size() + 1)));
}

Message& Message::put(int attribute, const IpAddress& value) {
  return put(attribute, std::as_bytes(std::span(value.bytes(), value.size())));
}

Attributes::Attributes(const nlmsghdr& message, size_t header_size) {
  // Parsing only fails for attributes that break a policy, and there is none.
  nlmsg_parse(const_cast<nlmsghdr*>(&message), static_cast<int>(header_size), table_.data(), kMax,
              nullptr);
}

Attributes::Attributes(std::span<const uint8_t> nested) {
  nla_parse(table_.data(), kMax, reinterpret_cast<nlattr*>(const_cast<uint8_t*>(nested.data())),
            static_cast<int>(nested.size()), nullptr);
}

nlattr* Attributes::get(int attribute) const {
  assert(attribute <= kMax);
  return table_[static_cast<size_t>(attribute)];
}

std::span<const uint8_t> Attributes::bytes(int attribute) const {
  nlattr* a = get(attribute);
  if (a == nullptr) return {};
  return {static_cast<const uint8_t*>(nla_data(a)), static_cast<size_t>(nla_len(a))};
}

std::optional<uint8_t> Attributes::u8(int attribute) const {
  std::span<const uint8_t> b = bytes(attribute);
  if (b.empty()) return std::nullopt;
  return b[0];
}

std::optional<uint32_t> Attributes::u32(int attribute) const {
  std::span<const uint8_t> b = bytes(attribute);
  uint32_t value = 0;
  if (b.size() < sizeof(value)) return std::nullopt;
  std::memcpy(&value, b.data(), sizeof(value));
  return value;
}

std::optional<std::string> Attributes::text(int attribute) const {
  if (!has(attribute)) return std::nullopt;
  std::span<const uint8_t> b = bytes(attribute);
  return std::string(b.begin(), std::find(b.begin(), b.end(), 0));
}

std::optional<IpAddress> Attributes::address(int attribute, Family family) const {
  std::span<const uint8_t> b = bytes(attribute);
  if (b.size() != (family == Family::ipv4 ? 4u : 16u)) return std::nullopt;
  return IpAddress::from_bytes(family, b.data());
}

std::optional<base::MacAddress> Attributes::mac(int attribute) const {
  std::span<const uint8_t> b = bytes(attribute);
  base::MacAddress mac;
  if (b.size() != mac.bytes.size()) return std::nullopt;
  std::copy(b.begin(), b.end(), mac.bytes.begin());
  return mac;
}

void for_each_message(std::span<const uint8_t> datagram,
                      const std::function<void(const nlmsghdr&)>& each) {
  while (datagram.size() >= sizeof(nlmsghdr)) {
    const auto* message = reinterpret_cast<const nlmsghdr*>(datagram.data());
    if (message->nlmsg_len < sizeof(nlmsghdr) || message->nlmsg_len > datagram.size()) return;
    each(*message);
    datagram = datagram.subspan(std::min<size_t>(NLMSG_ALIGN(message->nlmsg_len), datagram.size()));
  }
}

Result<Socket> Socket::open(int namespace_fd, int protocol) {
  Result<Fd> fd = open_socket(namespace_fd, 0, protocol);
  if (!fd) return std::move(fd).error();
  timeval patience{.tv_sec = 5, .tv_usec = 0};
  ::setsockopt(fd->get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  return Socket(*std::move(fd));
}

Result<Unit> Socket::send(std::span<const uint8_t> bytes, const std::string& what) {
  if (::send(fd_.get(), bytes.data(), bytes.size(), 0) < 0) return Error{errno, what};
  return Unit{};
}

Result<std::span<const uint8_t>> Socket::receive(const std::string& what) {
  ssize_t size = 0;
  do {
    size = ::recv(fd_.get(), buffer_.data(), buffer_.size(), 0);
  } while (size < 0 && errno == EINTR);
  if (size < 0 && errno == EAGAIN) return Error{ETIMEDOUT, what};
  if (size < 0) return Error{errno, what};
  return std::span<const uint8_t>(buffer_.data(), static_cast<size_t>(size));
}

Result<Unit> Socket::request(Message& message, const std::string& what) {
  nlmsghdr* header = message.header();
  header->nlmsg_seq = ++sequence_;
  header->nlmsg_flags = static_cast<uint16_t>(header->nlmsg_flags | NLM_F_ACK);
  Result<Unit> sent = send({reinterpret_cast<uint8_t*>(header), header->nlmsg_len}, what);
  if (!sent) return sent;
  std::optional<Result<Unit>> outcome;
  while (!outcome) {
    Result<std::span<const uint8_t>> answer = receive(what);
    if (!answer) return std::move(answer).error();
    for_each_message(*answer, [&](const nlmsghdr& m) {
      std::optional<int> err = error_in(m);
      // Others are late answers to a request that was given up.
      if (m.nlmsg_seq != sequence_ || !err) return;
      outcome = *err == 0 ? Result<Unit>(Unit{}) : Error{*err, what + explanation_in(m)};
    });
  }
  return *outcome;
}

// false: interrupted by a change.
Result<bool> Socket::dump_once(Message& message, const std::string& what,
                               std::vector<uint8_t>& answers) {
  nlmsghdr* header = message.header();
  header->nlmsg_seq = ++sequence_;
  header->nlmsg_flags = static_cast<uint16_t>(header->nlmsg_flags | NLM_F_DUMP);
  Result<Unit> sent = send({reinterpret_cast<uint8_t*>(header), header->nlmsg_len}, what);
  if (!sent) return std::move(sent).error();
  bool done = false, consistent = true;
  int failure = 0;
  while (!done) {
    Result<std::span<const uint8_t>> answer = receive(what);
    if (!answer) return std::move(answer).error();
    for_each_message(*answer, [&](const nlmsghdr& m) {
      if (m.nlmsg_seq != sequence_) return;
      if (m.nlmsg_flags & NLM_F_DUMP_INTR) consistent = false;
      if (m.nlmsg_type == NLMSG_DONE || m.nlmsg_type == NLMSG_ERROR) {
        done = true;
        failure = error_in(m).value_or(0);
      } else {
        const auto* bytes = reinterpret_cast<const uint8_t*>(&m);
        answers.insert(answers.end(), bytes, bytes + NLMSG_ALIGN(m.nlmsg_len));
      }
    });
  }
  if (failure != 0) return Error{failure, what};
  return consistent;
}

Result<Unit> Socket::dump(Message& message, const std::string& what,
                          const std::function<void(const nlmsghdr&)>& each) {
  constexpr int kTries = 10;
  for (int i = 0; i < kTries; ++i) {
    std::vector<uint8_t> answers;
    Result<bool> consistent = dump_once(message, what, answers);
    if (!consistent) return std::move(consistent).error();
    if (!*consistent) continue;
    for_each_message(answers, each);
    return Unit{};
  }
  return Error{EINTR, what};
}

Result<Unit> Socket::ask(size_t count, const std::string& what,
                         const std::function<Message(size_t)>& make,
                         const std::function<void(size_t, const nlmsghdr&)>& answer) {
  for (size_t first = 0; first < count; first += kPerSend) {
    const size_t n = std::min(kPerSend, count - first);
    const uint32_t base = sequence_ + 1;
    std::vector<uint8_t> bytes;
    for (size_t i = 0; i < n; ++i) {
      Message message = make(first + i);
      nlmsghdr* header = message.header();
      header->nlmsg_seq = ++sequence_;
      const auto* start = reinterpret_cast<const uint8_t*>(header);
      bytes.insert(bytes.end(), start, start + NLMSG_ALIGN(header->nlmsg_len));
    }
    Result<Unit> sent = send(bytes, what);
    if (!sent) return sent;
    for (size_t pending = n; pending > 0;) {
      Result<std::span<const uint8_t>> got = receive(what);
      if (!got) return std::move(got).error();
      for_each_message(*got, [&](const nlmsghdr& m) {
        if (m.nlmsg_seq - base >= n || pending == 0) return;
        --pending;
        answer(first + (m.nlmsg_seq - base), m);
      });
    }
  }
  return Unit{};
}

Result<Fd> open_watch(int namespace_fd, std::span<const unsigned> groups) {
  Result<Fd> fd = open_socket(namespace_fd, SOCK_NONBLOCK, NETLINK_ROUTE);
  if (!fd) return fd;
  for (unsigned group : groups)
    if (::setsockopt(fd->get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) != 0)
      return Error{errno, "subscribe to netlink group " + std::to_string(group)};
  return fd;
}

}  // namespace netns
