#include "agent/cli/client.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>

#include "base/fd.h"
#include "base/socket_address.h"

namespace cli {
namespace {

constexpr timeval kPatience{30, 0};  // for the next byte

Failure cannot_connect(const std::string& path, int error) {
  std::string next = "is amphora-xdp-agent running?";
  if (error == EACCES || error == EPERM)
    next = "root, the agent's user and the group of the socket may use it (try sudo).";
  return {kUnreachable, "cannot connect to " + path + " (" + std::strerror(error) + "): " + next};
}

OrFailure<base::Fd> connect_to(const std::string& path) {
  const auto address = base::unix_address(path);
  if (!address) return cannot_connect(path, path.empty() ? ENOENT : ENAMETOOLONG);
  base::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return cannot_connect(path, errno);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof(kPatience));
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof(kPatience));
  if (::connect(fd.get(), address->get(), address->size) != 0) return cannot_connect(path, errno);
  return fd;
}

// Reads an answer piece by piece. Every take is false when the connection ends too soon.
class Reader {
 public:
  explicit Reader(int fd) : fd_(fd) {}

  bool take_head(std::string& head) { return take_until("\r\n\r\n", head); }
  bool take_body(std::string_view head, const std::function<void(std::string_view)>& sink) {
    if (header(head, "transfer-encoding") == "chunked") return take_chunks(sink);
    const auto length = number(header(head, "content-length"), 10);
    if (!length) return true;
    return take(*length, sink);
  }

 private:
  static std::string header(std::string_view head, std::string_view name) {
    std::string lower(head);
    std::ranges::transform(lower, lower.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const size_t at = lower.find("\r\n" + std::string(name) + ": ");
    if (at == std::string::npos) return "";
    const size_t from = at + name.size() + 4;
    return lower.substr(from, lower.find("\r\n", from) - from);
  }
  static std::optional<size_t> number(std::string_view text, int base) {
    size_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc{} || end == text.data()) return std::nullopt;
    return value;
  }
  bool fill() {
    std::array<char, 64 * 1024> bytes;  // NOLINT: written before it is read
    ssize_t size = 0;
    do {
      size = ::recv(fd_, bytes.data(), bytes.size(), 0);
    } while (size < 0 && errno == EINTR);
    if (size <= 0) return false;
    buffer_.append(bytes.data(), static_cast<size_t>(size));
    return true;
  }
  bool take_until(std::string_view mark, std::string& out) {
    size_t at = 0;
    while ((at = buffer_.find(mark)) == std::string::npos)
      if (!fill()) return false;
    out = buffer_.substr(0, at + mark.size());
    buffer_.erase(0, at + mark.size());
    return true;
  }
  bool take(size_t size, const std::function<void(std::string_view)>& sink) {
    while (size > 0) {
      if (buffer_.empty() && !fill()) return false;
      const size_t part = std::min(size, buffer_.size());
      sink(std::string_view(buffer_).substr(0, part));
      buffer_.erase(0, part);
      size -= part;
    }
    return true;
  }
  bool take_chunks(const std::function<void(std::string_view)>& sink) {
    for (;;) {
      std::string line;
      if (!take_until("\r\n", line)) return false;
      const auto size = number(line, 16);
      if (!size || !take(*size, sink) || !take_until("\r\n", line)) return false;
      if (*size == 0) return true;
    }
  }

  int fd_;
  std::string buffer_;
};

OrFailure<Answer> exchange(const std::string& path, const std::string& request,
                           const std::function<void(std::string_view)>& sink) {
  auto connected = connect_to(path);
  if (auto* failure = std::get_if<Failure>(&connected)) return *failure;
  const base::Fd fd = std::get<base::Fd>(std::move(connected));
  std::string_view rest = request;
  while (!rest.empty()) {
    const ssize_t sent = ::send(fd.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) break;  // refused early: the answer says why
    rest.remove_prefix(static_cast<size_t>(sent));
  }
  Reader reader(fd.get());
  Answer answer;
  std::string head;
  const auto into_answer = [&answer](std::string_view part) { answer.body += part; };
  const bool headed = reader.take_head(head) && head.size() > std::strlen("HTTP/1.1 200");
  if (headed) answer.status = std::atoi(head.c_str() + std::strlen("HTTP/1.1 "));
  const bool whole = headed && (sink && answer.good() ? reader.take_body(head, sink)
                                                      : reader.take_body(head, into_answer));
  if (whole) return answer;
  return Failure{kUnreachable, "the agent at " + path +
                                   " ended the connection before its answer was complete: see "
                                   "its log (journalctl -u amphora-agent)."};
}

}  // namespace

nlohmann::json Answer::json() const { return nlohmann::json::parse(body, nullptr, false); }

namespace {

// Why, where Octavia's words do not say it.
std::string detail_in(const nlohmann::json& fault) {
  const auto detail = fault.find("debuginfo");
  return detail == fault.end() || !detail->is_string() ? ""
                                                       : " (" + detail->get<std::string>() + ")";
}

}  // namespace

std::string Answer::fault() const {
  const auto parsed = json();
  if (parsed.is_object() && parsed.contains("faultstring") && parsed["faultstring"].is_string())
    return parsed["faultstring"].get<std::string>() + detail_in(parsed);
  return "the agent answered with status " + std::to_string(status) + ".";
}

OrFailure<Answer> Client::ask(std::string_view method, std::string_view target,
                              const nlohmann::json& body) const {
  std::string request = std::string(method) + " " + std::string(target) +
                        " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
  if (!body.is_null()) {
    const std::string text = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    request += "Content-Type: application/json\r\nContent-Length: " + std::to_string(text.size()) +
               "\r\n\r\n" + text;
  } else {
    request += "\r\n";
  }
  return exchange(path_, request, nullptr);
}

OrFailure<nlohmann::json> Client::get(std::string_view target) const {
  const auto asked = ask("GET", target);
  if (const auto* failure = std::get_if<Failure>(&asked)) return *failure;
  const Answer& answer = std::get<Answer>(asked);
  if (!answer.good()) return Failure{kRefused, answer.fault()};
  return answer.json();
}

OrFailure<Answer> Client::stream(std::string_view target,
                                 const std::function<void(std::string_view)>& each) const {
  std::string line;
  const auto sink = [&](std::string_view part) {
    for (size_t end = 0; (end = part.find('\n')) != std::string_view::npos;) {
      line += part.substr(0, end);
      each(line);
      line.clear();
      part.remove_prefix(end + 1);
    }
    line += part;
  };
  auto asked = exchange(
      path_,
      "GET " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
      sink);
  if (const auto* answer = std::get_if<Answer>(&asked); answer && !answer->good())
    return Failure{kRefused, answer->fault()};
  return asked;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || std::strchr("-_.~", c) != nullptr) {
      out.push_back(c);
    } else {
      out.append("%").append(1, kHex[byte >> 4]).append(1, kHex[byte & 15]);
    }
  }
  return out;
}

}  // namespace cli
