#include "agent/pair/frames.h"

#include <netinet/in.h>

#include <utility>

namespace pair {
namespace {

using base::Error;
using base::Family;
using base::Result;

enum class Type : uint8_t {
  hello = 1,
  flows,
  ends,
  walk_begin,
  walk_end,
  position,
  again,
  leaving
};

// Of a flow.
constexpr uint8_t kAnswered = 1;

class Writer {
 public:
  template <class Number>
  void put(Number number) {
    for (size_t shift = sizeof(Number) * 8; shift > 0;)
      bytes_ += static_cast<char>(number >> (shift -= 8));
  }
  void put(const base::Endpoint& endpoint) {
    bytes_.append(reinterpret_cast<const char*>(endpoint.address.bytes()), endpoint.address.size());
    put(endpoint.port);
  }
  void put(const Name& name) {
    put(static_cast<uint8_t>(name.family));
    put(name.line);
    put(name.generation);
  }
  void put(const Flow& flow) {
    put(flow.name);
    put(flow.protocol);
    put(static_cast<uint8_t>(flow.state));
    put(static_cast<uint8_t>(flow.is_answered ? kAnswered : 0));
    for (const auto* endpoint : {&flow.client, &flow.vip, &flow.snat, &flow.member}) put(*endpoint);
    put(flow.next_client);
    put(flow.next_member);
  }
  std::string& bytes() { return bytes_; }

 private:
  std::string bytes_;
};

// Once it is asked for more than there is, or for what cannot be, it is broken, and gives zeroes.
class Reader {
 public:
  explicit Reader(std::span<const uint8_t> bytes) : rest_(bytes) {}

  template <class Number>
  Number number() {
    Number value = 0;
    for (const uint8_t byte : take(sizeof(Number))) value = static_cast<Number>(value << 8 | byte);
    return value;
  }
  Family family() {
    const auto family = number<uint8_t>();
    if (family != 4 && family != 6) fail("a family that is none");
    return family == 6 ? Family::ipv6 : Family::ipv4;
  }
  Name name() {
    Name name;
    name.family = family();
    name.line = number<uint32_t>();
    name.generation = number<uint32_t>();
    return name;
  }
  base::Endpoint endpoint(Family family) {
    base::Endpoint endpoint;
    const auto bytes = take(family == Family::ipv4 ? 4 : 16);
    if (!bytes.empty()) endpoint.address = base::IpAddress::from_bytes(family, bytes.data());
    endpoint.port = number<uint16_t>();
    if (endpoint.port == 0 || endpoint.address.is_unspecified()) fail("an end that is none");
    return endpoint;
  }
  Flow flow() {
    Flow flow;
    flow.name = name();
    flow.protocol = number<uint8_t>();
    if (flow.protocol != IPPROTO_TCP && flow.protocol != IPPROTO_UDP &&
        flow.protocol != IPPROTO_SCTP)
      fail("a protocol that is not balanced");
    const auto state = number<uint8_t>();
    if (state < 1 || state > static_cast<uint8_t>(State::closing_member)) fail("a wrong state");
    flow.state = static_cast<State>(state);
    const auto flags = number<uint8_t>();
    if ((flags & ~kAnswered) != 0) fail("flags that nobody knows");
    flow.is_answered = flags == kAnswered;
    for (auto* end : {&flow.client, &flow.vip, &flow.snat, &flow.member})
      *end = endpoint(flow.name.family);
    flow.next_client = number<uint32_t>();
    flow.next_member = number<uint32_t>();
    return flow;
  }
  Role role() {
    const auto role = number<uint8_t>();
    if (role > 1) fail("a role that is none");
    return role == 1 ? Role::active : Role::standby;
  }
  // Empty: all that is expected is there, and nothing else.
  const std::string& wrong() {
    if (wrong_.empty() && !rest_.empty()) wrong_ = "bytes that nobody knows";
    return wrong_;
  }
  bool is_at_end() const { return rest_.empty() || !wrong_.empty(); }
  void fail(const char* what) {
    if (wrong_.empty()) wrong_ = what;
  }

 private:
  std::span<const uint8_t> take(size_t bytes) {
    if (bytes > rest_.size() || !wrong_.empty()) {
      fail("it is cut off");
      return {};
    }
    const auto taken = rest_.first(bytes);
    rest_ = rest_.subspan(bytes);
    return taken;
  }

  std::span<const uint8_t> rest_;
  std::string wrong_;
};

Type write(Writer& out, const Hello& hello) {
  out.put(hello.oldest);
  out.put(hello.newest);
  out.put(hello.maps);
  out.put(hello.lines4);
  out.put(hello.lines6);
  return Type::hello;
}
Type write(Writer& out, const Flows& flows) {
  for (const Flow& flow : flows.flows) out.put(flow);
  return Type::flows;
}
Type write(Writer& out, const Ends& ends) {
  for (const Name& name : ends.flows) out.put(name);
  return Type::ends;
}
Type write(Writer&, const WalkBegin&) { return Type::walk_begin; }
Type write(Writer&, const WalkEnd&) { return Type::walk_end; }
Type write(Writer&, const Again&) { return Type::again; }
Type write(Writer&, const Leaving&) { return Type::leaving; }
Type write(Writer& out, const Position& position) {
  out.put(position.records);
  out.put(position.unknown);
  out.put(static_cast<uint8_t>(position.role));
  return Type::position;
}

Frame read(Type type, Reader& in) {
  switch (type) {
    case Type::hello: {
      Hello hello;
      hello.oldest = in.number<uint16_t>();
      hello.newest = in.number<uint16_t>();
      hello.maps = in.number<uint64_t>();
      hello.lines4 = in.number<uint32_t>();
      hello.lines6 = in.number<uint32_t>();
      return hello;
    }
    case Type::flows: {
      Flows flows;
      while (!in.is_at_end()) flows.flows.push_back(in.flow());
      return flows;
    }
    case Type::ends: {
      Ends ends;
      while (!in.is_at_end()) ends.flows.push_back(in.name());
      return ends;
    }
    case Type::walk_begin:
      return WalkBegin{};
    case Type::walk_end:
      return WalkEnd{};
    case Type::again:
      return Again{};
    case Type::leaving:
      return Leaving{};
    case Type::position: {
      Position position;
      position.records = in.number<uint64_t>();
      position.unknown = in.number<uint32_t>();
      position.role = in.role();
      return position;
    }
  }
  return Again{};
}

}  // namespace

std::string encode(const Frame& frame) {
  Writer body;
  const Type type = std::visit([&](const auto& one) { return write(body, one); }, frame);
  Writer out;
  out.put(static_cast<uint32_t>(body.bytes().size()));
  out.put(static_cast<uint8_t>(type));
  return out.bytes() + body.bytes();
}

Result<Header> decode_header(std::span<const uint8_t, kHeaderBytes> bytes) {
  Reader in(bytes);
  Header header;
  header.bytes = in.number<uint32_t>();
  header.type = in.number<uint8_t>();
  if (header.bytes > kMostBody)
    return Error{0, "a frame of " + std::to_string(header.bytes) + " bytes"};
  return header;
}

Result<std::optional<Frame>> decode(uint8_t type, std::span<const uint8_t> body) {
  if (type < static_cast<uint8_t>(Type::hello) || type > static_cast<uint8_t>(Type::leaving))
    return std::optional<Frame>();
  Reader in(body);
  std::optional<Frame> frame(read(static_cast<Type>(type), in));
  if (!in.wrong().empty())
    return Error{0, "a frame of type " + std::to_string(type) + ": " + in.wrong()};
  return frame;
}

}  // namespace pair
