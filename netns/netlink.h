// Talking to the kernel's routing sockets: messages (libnl builds and parses them) and a socket of
// our own, because a namespace with thousands of members needs many requests in one send.
#pragma once

#include <linux/netlink.h>
#include <netlink/msg.h>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/ip.h"
#include "base/result.h"

namespace netns {

uint8_t address_family(base::Family family);                    // AF_INET, AF_INET6
std::optional<base::Family> family_of(uint8_t address_family);  // neither: nullopt

// A request: a header of the kernel's (ifinfomsg, rtmsg, ...) and attributes. At most 512 bytes.
class Message {
 public:
  template <class Header>
  Message(uint16_t type, int flags, const Header& header)
      : Message(type, flags, std::as_bytes(std::span(&header, 1))) {}

  Message& put(int attribute, std::span<const std::byte> value);
  Message& put(int attribute, uint8_t value);
  Message& put(int attribute, uint32_t value);
  Message& put(int attribute, const std::string& value);
  Message& put(int attribute, const base::IpAddress& value);

  nlmsghdr* header() const { return nlmsg_hdr(message_.get()); }

 private:
  struct Free {
    void operator()(nl_msg* m) const { nlmsg_free(m); }
  };
  Message(uint16_t type, int flags, std::span<const std::byte> header);

  std::unique_ptr<nl_msg, Free> message_;
};

// The attributes of a received message; those that are absent or too short are nullopt.
class Attributes {
 public:
  Attributes(const nlmsghdr& message, size_t header_size);
  explicit Attributes(std::span<const uint8_t> nested);  // those that another one is made of

  bool has(int attribute) const { return get(attribute) != nullptr; }
  std::optional<uint8_t> u8(int attribute) const;
  std::optional<uint32_t> u32(int attribute) const;
  std::optional<std::string> text(int attribute) const;
  std::optional<base::IpAddress> address(int attribute, base::Family family) const;
  std::optional<base::MacAddress> mac(int attribute) const;
  std::span<const uint8_t> bytes(int attribute) const;

 private:
  static constexpr int kMax = 80;
  nlattr* get(int attribute) const;

  std::array<nlattr*, kMax + 1> table_{};
};

// `message` as what its type says it is. The header must be there: check with `fits`.
template <class Header>
bool fits(const nlmsghdr& message) {
  return message.nlmsg_len >= NLMSG_LENGTH(sizeof(Header));
}
template <class Header>
const Header& header_of(const nlmsghdr& message) {
  return *static_cast<const Header*>(NLMSG_DATA(&message));
}

// Calls `each` for every message of a datagram.
void for_each_message(std::span<const uint8_t> datagram,
                      const std::function<void(const nlmsghdr&)>& each);

// A blocking request socket in one namespace. A kernel that does not answer within five seconds is
// an error.
class Socket {
 public:
  // In the namespace that `namespace_fd` names, whatever the calling thread's is.
  static base::Result<Socket> open(int namespace_fd, int protocol = NETLINK_ROUTE);

  // Waits for the acknowledgement. The error's text is `what` and what the kernel says about it.
  base::Result<base::Unit> request(Message& message, const std::string& what);
  // The whole answer, then `each`: a dump that was interrupted by a change starts again.
  base::Result<base::Unit> dump(Message& message, const std::string& what,
                                const std::function<void(const nlmsghdr&)>& each);
  // `count` requests with one answer each, many to a send. An answer may be an NLMSG_ERROR.
  base::Result<base::Unit> ask(size_t count, const std::string& what,
                               const std::function<Message(size_t)>& make,
                               const std::function<void(size_t, const nlmsghdr&)>& answer);

 private:
  explicit Socket(base::Fd fd) : fd_(std::move(fd)) {}
  base::Result<base::Unit> send(std::span<const uint8_t> bytes, const std::string& what);
  base::Result<std::span<const uint8_t>> receive(const std::string& what);
  base::Result<bool> dump_once(Message& message, const std::string& what,
                               std::vector<uint8_t>& answers);

  base::Fd fd_;
  uint32_t sequence_ = 0;
  std::vector<uint8_t> buffer_ = std::vector<uint8_t>(size_t{1} << 16);
};

// A non-blocking socket that hears of changes: `groups` are RTNLGRP_ numbers.
base::Result<base::Fd> open_watch(int namespace_fd, std::span<const unsigned> groups);

}  // namespace netns
