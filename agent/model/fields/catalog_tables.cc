// The attributes of what a catalog has, in the order in which the API looks at them.
#include "agent/model/catalog.h"
#include "agent/model/fields/field.h"
#include "agent/model/fields/rows.h"

namespace model {

namespace {

using Form = ValueType::Form;

constexpr int64_t kMostData = 4096;       // characters
constexpr int kMostOfAKind = 2000000000;  // Octavia's highest quota

template <class R>
Field<R> id_row() {
  return row<R, &R::id>("id", plain_type(Form::uuid), kReadOnly);
}

template <class R>
std::vector<Field<R>> offer_rows(std::string_view profile, unsigned name_use) {
  return {row<R, &R::name>("name", name_type(), name_use).needed(),
          row<R, &R::description>("description", name_type(), kCreate | kUpdate),
          row<R, &R::enabled>("enabled", boolean_type(), kCreate | kUpdate),
          row<R, &R::profile>(profile, plain_type(Form::uuid), kCreate).needed()};
}

template <class R>
std::vector<Field<R>> profile_rows(std::string_view data) {
  return {row<R, &R::name>("name", name_type(), kCreate | kUpdate).needed(),
          row<R, &R::provider_name>("provider_name", name_type(), kCreate | kUpdate).needed(),
          row<R, &R::data>(data, text_type(kMostData), kCreate | kUpdate).needed(), id_row<R>()};
}

template <auto Limit>
Field<Quota> limit_row(std::string_view name) {
  return row<Quota, Limit>(name, integer_type(-1, kMostOfAKind), kUpdate);
}

}  // namespace

template <>
const std::vector<Field<Flavor>>& table() {
  static const auto rows = [] {
    auto all = offer_rows<Flavor>("flavor_profile_id", kCreate | kUpdate);
    all.push_back(id_row<Flavor>());
    return all;
  }();
  return rows;
}
template <>
const std::vector<Field<AvailabilityZone>>& table() {
  static const auto rows = offer_rows<AvailabilityZone>("availability_zone_profile_id", kCreate);
  return rows;
}
template <>
const std::vector<Field<FlavorProfile>>& table() {
  static const auto rows = profile_rows<FlavorProfile>("flavor_data");
  return rows;
}
template <>
const std::vector<Field<AvailabilityZoneProfile>>& table() {
  static const auto rows = profile_rows<AvailabilityZoneProfile>("availability_zone_data");
  return rows;
}

// Two have two names, of which the one with "_" is Octavia's older one.
template <>
const std::vector<Field<Quota>>& table() {
  static const std::vector<Field<Quota>> rows{
      row<Quota, &Quota::project_id>("project_id", text_type(255), kReadOnly),
      limit_row<&Quota::load_balancer>("load_balancer").where(Kept::shown),
      limit_row<&Quota::load_balancer>("loadbalancer"),
      limit_row<&Quota::listener>("listener"),
      limit_row<&Quota::pool>("pool"),
      limit_row<&Quota::health_monitor>("health_monitor").where(Kept::shown),
      limit_row<&Quota::health_monitor>("healthmonitor"),
      limit_row<&Quota::member>("member"),
      limit_row<&Quota::l7policy>("l7policy"),
      limit_row<&Quota::l7rule>("l7rule")};
  return rows;
}

}  // namespace model
