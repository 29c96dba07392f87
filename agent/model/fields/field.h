// Field: one attribute of a resource as a row of its table: what it is called, what it may be, who
// may set it, where it lives in the struct. The tables drive reading, defaulting, what can be
// updated, showing, saving and loading.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "agent/model/fields/value.h"
#include "agent/model/model.h"
#include "agent/model/time.h"
#include "agent/model/words.h"

namespace model {

// C++ to JSON, and canonical JSON (read_value's) or null to C++.
inline nlohmann::json value_of(bool value) { return value; }
inline nlohmann::json value_of(int value) { return value; }
inline nlohmann::json value_of(uint16_t value) { return value; }
inline nlohmann::json value_of(int64_t value) { return value; }
inline nlohmann::json value_of(const std::string& value) { return value; }
inline nlohmann::json value_of(const std::vector<std::string>& value) { return value; }
inline nlohmann::json value_of(const Uuid& value) { return value.text(); }
inline nlohmann::json value_of(const base::IpAddress& value) { return value.text(); }
inline nlohmann::json value_of(Time value) { return text(value); }
nlohmann::json value_of(const std::vector<base::IpPrefix>& value);  // none: null
nlohmann::json value_of(const std::vector<AdditionalVip>& value);
nlohmann::json value_of(const std::map<std::string, std::string>& value);
nlohmann::json value_of(const SessionPersistence& value);
nlohmann::json value_of(HttpVersion value);  // 1.1, a number
template <class E>
requires std::is_enum_v<E> nlohmann::json value_of(E value) { return std::string(word(value)); }
template <class T>
nlohmann::json value_of(const std::optional<T>& value) {
  return value ? value_of(*value) : nlohmann::json(nullptr);
}

template <class T>
requires std::is_arithmetic_v<T>
void put_value(const nlohmann::json& in, T& out) { out = in.is_null() ? T{} : in.get<T>(); }
void put_value(const nlohmann::json& in, std::string& out);
void put_value(const nlohmann::json& in, std::vector<std::string>& out);
void put_value(const nlohmann::json& in, Uuid& out);
void put_value(const nlohmann::json& in, base::IpAddress& out);
void put_value(const nlohmann::json& in, Time& out);
void put_value(const nlohmann::json& in, std::vector<base::IpPrefix>& out);
void put_value(const nlohmann::json& in, std::vector<AdditionalVip>& out);
void put_value(const nlohmann::json& in, std::map<std::string, std::string>& out);
void put_value(const nlohmann::json& in, SessionPersistence& out);
void put_value(const nlohmann::json& in, HttpVersion& out);
template <class E>
requires std::is_enum_v<E>
void put_value(const nlohmann::json& in, E& out) {
  out = from_word<E>(in.get_ref<const std::string&>()).value_or(E{});
}
template <class T>
void put_value(const nlohmann::json& in, std::optional<T>& out) {
  out.reset();
  if (!in.is_null()) put_value(in, out.emplace());
}

// Requests that may carry an attribute, as bits.
enum Use : unsigned { kReadOnly = 0, kCreate = 1, kNested = 2, kUpdate = 4 };
inline constexpr unsigned kOnce = kCreate | kNested;  // immutable
inline constexpr unsigned kAlways = kOnce | kUpdate;

enum class Kept { shown_and_saved, shown, saved, neither };
enum class Need { optional, required };
enum class Null { resets, is_false, is_absence };  // resets: to the default
enum class Since { always, later };  // later: state files from before it do not have it

template <class R>
struct Field {
  std::string_view name;
  ValueType type;
  unsigned use = kReadOnly;
  nlohmann::json (*get)(const R&) = nullptr;  // null: `fixed`
  void (*put)(R&, const nlohmann::json&) = nullptr;
  nlohmann::json fixed = nullptr;  // what is shown of an attribute that no struct has yet
  Kept kept = Kept::shown_and_saved;
  Need need = Need::optional;
  Null null = Null::resets;
  Since since = Since::always;
  std::optional<Fault> of_null = {};  // of one that is needed; none: it is no valid option

  nlohmann::json value(const R& r) const { return get ? get(r) : fixed; }
  nlohmann::json by_default() const { return value(R{}); }
  bool shown() const { return kept == Kept::shown_and_saved || kept == Kept::shown; }
  bool saved() const { return kept == Kept::shown_and_saved || kept == Kept::saved; }

  Field needed() && { return need = Need::required, std::move(*this); }
  Field needed(Fault when_null) && {
    of_null = std::move(when_null);
    return std::move(*this).needed();
  }
  Field where(Kept k) && { return kept = k, std::move(*this); }
  Field null_means(Null n) && { return null = n, std::move(*this); }
  Field from_later() && { return since = Since::later, std::move(*this); }
};

template <class R, auto M>
Field<R> row(std::string_view name, ValueType type, unsigned use) {
  return {name, std::move(type), use, [](const R& r) { return value_of(r.*M); },
          [](R& r, const nlohmann::json& v) { put_value(v, r.*M); }};
}

// A string or list whose emptiness is shown as null.
template <class R, auto M>
Field<R> nullable_row(std::string_view name, ValueType type, unsigned use) {
  Field<R> field = row<R, M>(name, std::move(type), use);
  field.get = [](const R& r) {
    return (r.*M).empty() ? nlohmann::json(nullptr) : nlohmann::json(r.*M);
  };
  return field;
}

// An attribute without a place in the struct: only its default is ever accepted.
template <class R>
Field<R> fixed_row(std::string_view name, ValueType type, unsigned use, nlohmann::json fixed) {
  Field<R> field{name, std::move(type), use};
  field.fixed = std::move(fixed);
  field.kept = Kept::shown;
  return field;
}

// One that says something about other resources: its reader takes it from the body.
template <class R>
Field<R> relation_row(std::string_view name, ValueType type, unsigned use) {
  return fixed_row<R>(name, std::move(type), use, nullptr).where(Kept::neither);
}

template <class R>
const std::vector<Field<R>>& table();
template <>
const std::vector<Field<LoadBalancer>>& table();
template <>
const std::vector<Field<Listener>>& table();
template <>
const std::vector<Field<Pool>>& table();
template <>
const std::vector<Field<Member>>& table();
template <>
const std::vector<Field<HealthMonitor>>& table();
template <>
const std::vector<Field<L7Policy>>& table();
template <>
const std::vector<Field<L7Rule>>& table();
template <>
const std::vector<Field<SessionPersistence>>& table();
template <>
const std::vector<Field<Flavor>>& table();
template <>
const std::vector<Field<FlavorProfile>>& table();
template <>
const std::vector<Field<AvailabilityZone>>& table();
template <>
const std::vector<Field<AvailabilityZoneProfile>>& table();
template <>
const std::vector<Field<Quota>>& table();

}  // namespace model
