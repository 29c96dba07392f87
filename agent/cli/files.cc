#include "agent/cli/files.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace cli {
namespace {

using nlohmann::json;

constexpr size_t kLargest = 16 * 1024 * 1024;  // bytes

OrFailure<std::string> read_text(const std::string& path) {
  const bool standard = path == "-";
  const std::unique_ptr<FILE, int (*)(FILE*)> file(
      standard ? stdin : std::fopen(path.c_str(), "re"),
      standard ? [](FILE*) { return 0; } : std::fclose);
  if (!file) return Failure{kMisused, "cannot read " + path + ": " + std::strerror(errno) + "."};
  std::string text;
  std::string part(64 * 1024, '\0');
  while (const size_t size = std::fread(part.data(), 1, part.size(), file.get())) {
    text.append(part, 0, size);
    if (text.size() > kLargest) return Failure{kMisused, path + " is larger than 16 MiB."};
  }
  if (std::ferror(file.get()) != 0)
    return Failure{kMisused, "cannot read " + path + ": " + std::strerror(errno) + "."};
  return text;
}

std::string place(const std::string& text, size_t byte) {
  const std::string before = text.substr(0, byte == 0 ? 0 : byte - 1);
  const size_t start = before.rfind('\n');
  return std::to_string(1 + std::count(before.begin(), before.end(), '\n')) + ":" +
         std::to_string(before.size() - (start == std::string::npos ? 0 : start + 1) + 1);
}

}  // namespace

OrFailure<json> read_json(const std::string& path) {
  const auto text = read_text(path);
  if (const auto* failure = std::get_if<Failure>(&text)) return *failure;
  const std::string name = path == "-" ? "standard input" : path;
  try {
    return json::parse(std::get<std::string>(text));
  } catch (const json::parse_error& error) {
    const std::string what = error.what();
    const size_t why = what.find("syntax error");
    return Failure{kMisused, name + ":" + place(std::get<std::string>(text), error.byte) + ": " +
                                 (why == std::string::npos ? what : what.substr(why)) + "."};
  } catch (const json::exception& error) {
    return Failure{kMisused, name + ": " + error.what() + "."};
  }
}

void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void print_json(const json& value) {
  print(value.dump(2, ' ', false, json::error_handler_t::replace) + "\n");
}

std::string text_of(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return "-";
  if (found->is_string()) return found->empty() ? "" : found->get<std::string>();
  return found->dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string name_or_id(const json& object, const char* name, const char* id) {
  const std::string text = text_of(object, name);
  return text.empty() || text == "-" ? text_of(object, id) : text;
}

}  // namespace cli
