// Fields of a JSON object of the configuration, read one by one.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace serve {

// Reads the fields of one JSON object. The first fault is kept; after it everything is a no-op, so
// that a reader reads as a list of fields.
class Fields {
  using json = nlohmann::json;

 public:
  Fields(const json& object, std::string path, std::optional<std::string>& fault)
      : object_(object), path_(std::move(path)), fault_(fault) {
    if (object.is_object() || fault_) return;
    const std::string name = path_.substr(0, path_.find_last_of('.'));
    fault_ = (name.empty() ? "" : name + " ") + "must be an object";
  }

  void text_or_nothing(const char* name, std::string& out) {
    read(name, [&](const json& v) -> const char* {
      if (!v.is_string()) return "must be a string";
      out = v.get<std::string>();
      return nullptr;
    });
  }

  void text(const char* name, std::string& out) {
    read(name, [&](const json& v) -> const char* {
      if (!v.is_string() || v.get_ref<const std::string&>().empty())
        return "must be a non-empty string";
      out = v.get<std::string>();
      return nullptr;
    });
  }

  template <class Int>
  void number(const char* name, Int& out, int64_t min, int64_t max) {
    std::string range;
    read(name, [&](const json& v) -> const char* {
      range = "must be a number from " + std::to_string(min) + " to " + std::to_string(max);
      if (!v.is_number_integer() || v < min || v > max) return range.c_str();
      out = static_cast<Int>(v.get<int64_t>());
      return nullptr;
    });
  }

  void flag(const char* name, bool& out) {
    read(name, [&](const json& v) -> const char* {
      if (!v.is_boolean()) return "must be true or false";
      out = v.get<bool>();
      return nullptr;
    });
  }

  // T::parse(text) gives an optional.
  template <class T, class Out>
  void parsed(const char* name, Out& out, const char* what) {
    read(name, [&](const json& v) -> const char* {
      auto value = v.is_string() ? T::parse(v.get_ref<const std::string&>()) : std::nullopt;
      if (!value) return what;
      out = *value;
      return nullptr;
    });
  }

  // each(element, path of the element)
  template <class Each>
  void list(const char* name, Each each) {
    const json* v = take(name);
    if (v == nullptr) return;
    if (!v->is_array()) return fail(name, "must be a list");
    for (size_t i = 0; i < v->size(); i++)
      each((*v)[i], path_ + name + "[" + std::to_string(i) + "]");
  }

  template <class Each>
  void object(const char* name, Each each) {
    if (const json* v = take(name)) each(*v, path_ + name + ".");
  }

  // Of an object whose names are not known beforehand. each(name, value)
  template <class Each>
  void each(Each each) {
    if (!object_.is_object()) return;
    for (const auto& [name, value] : object_.items())
      if (!fault_) each(name, value);
  }

  void only(const std::set<std::string>& names, const std::string& why) {
    each([&](const std::string& name, const json&) {
      if (!names.contains(name)) fail(name, why);
    });
  }

  void require(const char* name) {
    if (object_.is_object() && !object_.contains(name)) fail(name, "is missing");
  }

  void fail(const std::string& name, const std::string& why) {
    if (!fault_) fault_ = path_ + name + " " + why;
  }

  void nothing_else() {
    if (!object_.is_object()) return;
    for (const auto& [name, value] : object_.items())
      if (!known_.contains(name)) fail(name, "is not a known field");
  }

 private:
  const json* take(const char* name) {
    known_.insert(name);
    if (fault_ || !object_.is_object() || !object_.contains(name)) return nullptr;
    return &object_[name];
  }

  template <class Read>
  void read(const char* name, Read read_value) {
    const json* v = take(name);
    if (v == nullptr) return;
    if (const char* why = read_value(*v)) fail(name, why);
  }

  const json& object_;
  std::string path_;
  std::optional<std::string>& fault_;
  std::set<std::string> known_;
};

}  // namespace serve
