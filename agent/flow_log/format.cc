#include "agent/flow_log/format.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <map>
#include <utility>

namespace flow_log {

namespace {

using Milliseconds = std::chrono::milliseconds;
using Time = Connection::Time;

constexpr const char* kNothing = "-";

enum class Zone : uint8_t { local, utc };

std::tm calendar(Time time, Zone zone) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(
      std::chrono::time_point_cast<std::chrono::system_clock::duration>(
          std::chrono::floor<std::chrono::seconds>(time)));
  std::tm out{};
  if (zone == Zone::local)
    ::localtime_r(&seconds, &out);
  else
    ::gmtime_r(&seconds, &out);
  return out;
}

int thousandths(Time time) {
  return static_cast<int>(
      std::chrono::duration_cast<Milliseconds>(time.time_since_epoch()).count() % 1000);
}

// "29/Nov/2026:00:52:35", whatever the locale.
std::string date(const std::tm& time) {
  static constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  char text[64];
  std::snprintf(text, sizeof(text), "%02d/%s/%04d:%02d:%02d:%02d", time.tm_mday,
                kMonths[static_cast<size_t>(time.tm_mon) % kMonths.size()], time.tm_year + 1900,
                time.tm_hour, time.tm_min, time.tm_sec);
  return text;
}

std::string date_with_zone(Time time, Zone zone) {
  const std::tm at = calendar(time, zone);
  char offset[8];
  std::strftime(offset, sizeof(offset), "%z", &at);
  return date(at) + " " + (zone == Zone::utc ? "+0000" : offset);
}

std::string date_with_thousandths(Time time) {
  char text[8];
  std::snprintf(text, sizeof(text), ".%03d", thousandths(time));
  return date(calendar(time, Zone::local)) + text;
}

std::string duration(const Connection& c) {
  if (!c.begun) return "-1";
  const auto lasted = std::chrono::duration_cast<Milliseconds>(c.ended - *c.begun).count();
  return std::to_string(std::max<int64_t>(lasted, 0));
}

// Text is what quotes go around, and what is "-" when it is empty.
enum class Kind : uint8_t { text, number };
struct Field {
  Kind kind = Kind::text;
  std::string (*value)(const Connection&, const Host&) = nullptr;
};

std::string zero(const Connection&, const Host&) { return "0"; }
std::string never(const Connection&, const Host&) { return "-1"; }

std::string port(uint16_t port) { return std::to_string(port); }

using Fields = std::map<std::string, Field, std::less<>>;

Fields make_fields() {
  using C = const Connection&;
  using H = const Host&;
  constexpr auto kNumber = Kind::number;
  Fields fields{
      {"ci", {Kind::text, [](C c, H) { return c.client.address.text(); }}},
      {"cp", {kNumber, [](C c, H) { return port(c.client.port); }}},
      {"fi", {Kind::text, [](C c, H) { return c.vip.address.text(); }}},
      {"fp", {kNumber, [](C c, H) { return port(c.vip.port); }}},
      {"bi", {Kind::text, [](C c, H) { return c.source.address.text(); }}},
      {"bp", {kNumber, [](C c, H) { return port(c.source.port); }}},
      {"si", {Kind::text, [](C c, H) { return c.member.address.text(); }}},
      {"sp", {kNumber, [](C c, H) { return port(c.member.port); }}},
      {"f", {Kind::text, [](C c, H) { return c.frontend; }}},
      {"ft", {Kind::text, [](C c, H) { return c.frontend; }}},
      {"b", {Kind::text, [](C c, H) { return c.backend; }}},
      {"s", {Kind::text, [](C c, H) { return c.server; }}},
      {"B", {kNumber, [](C c, H) { return std::to_string(c.bytes_out); }}},
      {"U", {kNumber, [](C c, H) { return std::to_string(c.bytes_in); }}},
      {"ts", {Kind::text, [](C c, H) { return c.state; }}},
      {"tsc", {Kind::text, [](C c, H) { return c.state + "--"; }}},  // no cookies
      {"H", {Kind::text, [](C, H h) { return h.name; }}},
      {"pid", {kNumber, [](C, H h) { return std::to_string(h.pid); }}},
  };
  for (const char* name : {"Tt", "Tu", "Td"})
    fields[name] = {kNumber, [](C c, H) { return duration(c); }};
  for (const char* name : {"Tw", "Tc"}) fields[name] = {kNumber, never};
  for (const char* name : {"ST", "Th", "ac", "fc", "bc", "sc", "rc", "bq", "sq", "lc", "rt"})
    fields[name] = {kNumber, zero};
  const auto since = [&fields](const char* name,
                               std::string (*text)(const Connection&, const Host&)) {
    fields[name] = {Kind::text, text};
  };
  since("t", [](C c, H) { return c.begun ? date_with_thousandths(*c.begun) : ""; });
  since("T", [](C c, H) { return c.begun ? date_with_zone(*c.begun, Zone::utc) : ""; });
  since("Tl", [](C c, H) { return c.begun ? date_with_zone(*c.begun, Zone::local) : ""; });
  since("Ts", [](C c, H) {
    return c.begun ? std::to_string(std::chrono::system_clock::to_time_t(*c.begun)) : "";
  });
  since("ms", [](C c, H) {
    char text[8] = "";
    if (c.begun) std::snprintf(text, sizeof(text), "%03d", thousandths(*c.begun));
    return std::string(text);
  });
  return fields;
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

}  // namespace

// As parse_logformat_string() of HAProxy 2.6 goes through it.
class Format::Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  Format parse() && {
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == ' ')
        format_.parts_.emplace_back(Blank{});
      else if (c == '%')
        read_variable();
      else
        add_literal(c);
    }
    return std::move(format_);
  }

 private:
  // A line of a log is one line.
  void add_literal(char c) {
    const bool is_control = static_cast<unsigned char>(c) < ' ' || c == 0x7f;
    if (format_.parts_.empty() || !std::holds_alternative<Literal>(format_.parts_.back()))
      format_.parts_.emplace_back(Literal{});
    std::get<Literal>(format_.parts_.back()).text += is_control ? '?' : c;
  }

  void read_variable() {
    if (rest_.starts_with('%')) {
      rest_.remove_prefix(1);
      return add_literal('%');
    }
    Quotes quotes = quotes_;
    if (rest_.starts_with('{')) quotes = read_options();
    if (rest_.starts_with('[')) {
      skip_expression();
      format_.parts_.emplace_back(Variable{"", quotes});
      return;
    }
    const auto end = std::find_if_not(rest_.begin(), rest_.end(), is_letter);
    const auto length = static_cast<size_t>(end - rest_.begin());
    std::string name(rest_.substr(0, length));
    rest_.remove_prefix(length);
    if (name == "o")
      quotes_ = quotes;  // from here on
    else
      format_.parts_.emplace_back(Variable{std::move(name), quotes});
  }

  // "{+Q,-X}"
  Quotes read_options() {
    const size_t end = std::min(rest_.find('}'), rest_.size());
    const std::string_view options = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    if (options.find("+Q") != options.npos) return Quotes::around;
    if (options.find("-Q") != options.npos) return Quotes::none;
    return quotes_;
  }

  void skip_expression() {
    const size_t end = rest_.find(']');
    rest_.remove_prefix(end == rest_.npos ? rest_.size() : end + 1);
  }

  std::string_view rest_;
  Quotes quotes_ = Quotes::none;
  Format format_;
};

Format Format::parse(std::string_view text) { return Parser(text).parse(); }

std::string Format::line(const Connection& connection, const Host& host) const {
  static const Fields kFields = make_fields();
  std::string out;
  bool blank = true;  // of several blanks one is written, and none at the beginning
  for (const Part& part : parts_) {
    if (std::holds_alternative<Blank>(part)) {
      if (!std::exchange(blank, true)) out += ' ';
      continue;
    }
    blank = false;
    if (const auto* literal = std::get_if<Literal>(&part)) {
      out += literal->text;
      continue;
    }
    const auto& variable = std::get<Variable>(part);
    const auto field = kFields.find(variable.name);
    const bool is_known = field != kFields.end();
    const std::string value = is_known ? field->second.value(connection, host) : "";
    const bool is_text = !is_known || field->second.kind == Kind::text;
    if (is_text && variable.quotes == Quotes::around)
      out += "\"" + value + "\"";
    else
      out += value.empty() ? kNothing : value;
  }
  return out;
}

}  // namespace flow_log
