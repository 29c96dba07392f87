#include "agent/octavia/translate_frontend.h"

#include <limits>
#include <set>

#include "agent/model/words.h"
#include "agent/octavia/translate_lines.h"
#include "base/number.h"

namespace octavia {

namespace {

using Line = std::vector<std::string>;
using model::ListenerProtocol;

class FrontendReader {
 public:
  FrontendReader(const haproxy::Document& document, const haproxy::Section& section,
                 const base::Uuid& listener)
      : document_(document) {
    read_.section = section;
    read_.listener.id = listener;
  }

  FrontendText read() && {
    read_lines(
        document_, read_.section, [this](const Line& words) { return read_line(words); },
        [this](std::string reason) { note(std::move(reason)); });
    settle();
    return std::move(read_);
  }

 private:
  void note(std::string reason) {
    if (read_.reason.empty()) read_.reason = std::move(reason);
  }

  // Whether the datapath does what the line says. Every word must be known, and no line may be
  // there twice but "bind".
  bool read_line(const Line& words) {
    const std::string& key = words[0];
    if (key == "bind") return read_bind(words);
    if (key == "use_backend" && words.size() > 1) {
      if (const auto name = backend_name_of(words[1])) read_.other_backends.push_back(*name);
      return false;
    }
    if (key == "timeout" || key == "tcp-request") return read_timer(words);
    if (words.size() != 2) return false;
    const bool is_first = seen_.insert(key).second;
    if (key == "maxconn") return is_first && read_limit(words[1]);
    if (key == "mode") return is_first && read_mode(words[1]);
    if (key == "default_backend") return is_first && read_default_backend(words[1]);
    if (key == "log-format") return is_first && read_log_format(words[1]);
    return false;
  }

  bool read_bind(const Line& words) {
    if (words.size() < 2) return false;
    const auto place = place_of(words[1]);
    if (words.size() > 2 && words[2] == "ssl") has_tls_ = true;
    if (!place) return false;
    if (read_.vips.empty()) read_.listener.protocol_port = place->port;
    read_.vips.push_back(place->address);
    return words.size() == 2 && place->port == read_.listener.protocol_port &&
           is_one_machine(place->address);
  }

  bool read_timer(const Line& words) {
    if (words.size() != 3 || !seen_.insert(words[0] + " " + words[1]).second) return false;
    const auto time = milliseconds_of(words[2]);
    if (!time) return false;
    const bool is_client = words[0] == "timeout" && words[1] == "client";
    const bool is_inspect = words[0] == "tcp-request" && words[1] == "inspect-delay";
    if (is_client) read_.listener.timeout_client_data = *time;
    if (is_inspect) read_.listener.timeout_tcp_inspect = *time;
    return is_client || is_inspect;
  }

  bool read_limit(const std::string& word) {
    const auto limit = base::parse_number(word, 1, std::numeric_limits<int>::max());
    if (limit) read_.listener.connection_limit = *limit;
    return limit.has_value();
  }

  bool read_mode(const std::string& word) {
    is_http_ = word == "http";
    return word == "tcp";
  }

  bool read_default_backend(const std::string& word) {
    answers_metrics_ = word == kPrometheusBackend;
    read_.default_backend = backend_name_of(word);
    if (read_.default_backend) read_.listener.default_pool = read_.default_backend->pool;
    return read_.default_backend && read_.default_backend->listener == read_.listener.id;
  }

  // What it says has no influence on what is forwarded. Octavia's own begins with the project; an
  // operator's may begin with anything.
  bool read_log_format(const std::string& format) {
    const std::string first = format.substr(0, format.find(' '));
    if (first.find('%') == first.npos) read_.project_id = first;
    return true;
  }

  void settle() {
    ListenerProtocol& protocol = read_.listener.protocol;
    if (is_http_) {
      protocol = answers_metrics_ ? ListenerProtocol::prometheus
                 : has_tls_       ? ListenerProtocol::terminated_https
                                  : ListenerProtocol::http;
      read_.reason = "protocol " + std::string(model::word(protocol));
    }
    if (read_.vips.empty()) note("there is no bind line");
    for (const char* line : {"maxconn", "mode", "timeout client"})
      if (!seen_.contains(line)) note(std::string("there is no line ") + line);
  }

  const haproxy::Document& document_;
  FrontendText read_;
  std::set<std::string> seen_;
  bool is_http_ = false, has_tls_ = false, answers_metrics_ = false;
};

}  // namespace

FrontendText read_frontend(const haproxy::Document& document, const haproxy::Section& section,
                           const base::Uuid& listener) {
  return FrontendReader(document, section, listener).read();
}

}  // namespace octavia
