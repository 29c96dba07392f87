#include "agent/http/json_body.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace http {
namespace {

using model::Fault;
using nlohmann::json;

// Follows the parser, for what JSON allows and we do not.
class Strictness {
 public:
  bool operator()(int depth, json::parse_event_t event, json& parsed) {
    if (!complaint_.empty()) return false;  // what is thrown away needs no memory
    switch (event) {
      case json::parse_event_t::object_start:
        keys_.emplace_back();
        [[fallthrough]];
      case json::parse_event_t::array_start:
        if (depth >= kMaxJsonDepth)
          complain("nested deeper than " + std::to_string(kMaxJsonDepth) + " levels");
        break;
      case json::parse_event_t::object_end:
        keys_.pop_back();
        break;
      case json::parse_event_t::key:
        if (!keys_.back().insert(parsed.get<std::string>()).second)
          complain("the key '" + parsed.get<std::string>() + "' appears twice in an object");
        break;
      default:
        break;
    }
    return complaint_.empty();
  }
  const std::string& complaint() const { return complaint_; }

 private:
  void complain(std::string what) {
    if (complaint_.empty()) complaint_ = std::move(what);
  }

  std::vector<std::set<std::string>> keys_;
  std::string complaint_;
};

Fault invalid(const std::string& why) {
  return Fault{400, "Request is not in valid JSON format: " + why};
}

// `byte` counts from 1, as nlohmann's errors do.
std::string place(std::string_view text, size_t byte) {
  const std::string_view before = text.substr(0, byte == 0 ? 0 : byte - 1);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const size_t start = before.rfind('\n');
  const size_t column = before.size() - (start == std::string_view::npos ? 0 : start + 1) + 1;
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

// "[json.exception.parse_error.101] parse error at line 1, column 2: why" -> "why"
std::string reason(std::string text) {
  const size_t column = text.find(", column ");
  const size_t end = column == std::string::npos ? text.find("] ") : text.find(": ", column);
  return end == std::string::npos ? text : text.substr(end + 2);
}

// Octavia is Python, and says this of a body that is JSON but no object.
Fault not_an_object(const json& value) {
  const char* type = value.is_array()          ? "list"
                     : value.is_string()       ? "str"
                     : value.is_boolean()      ? "bool"
                     : value.is_number_float() ? "float"
                     : value.is_number()       ? "int"
                                               : "NoneType";
  return Fault{500, "'" + std::string(type) + "' object has no attribute 'keys'"};
}

}  // namespace

model::Outcome<json> parse_body(std::string_view text) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos)
    return Fault{400, "Request is not in valid JSON format: the body is empty"};
  Strictness strictness;
  const json::parser_callback_t callback = [&strictness](int depth, json::parse_event_t event,
                                                         json& parsed) {
    return strictness(depth, event, parsed);
  };
  try {
    json value = json::parse(text, callback);
    if (!strictness.complaint().empty()) return invalid(strictness.complaint());
    if (!value.is_object()) return not_an_object(value);
    return value;
  } catch (const json::parse_error& e) {
    return invalid(place(text, e.byte) + ": " + reason(e.what()));
  } catch (const json::exception& e) {
    return invalid(reason(e.what()));
  }
}

}  // namespace http
