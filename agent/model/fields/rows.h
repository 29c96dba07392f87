// Rows that several tables have.
#pragma once

#include <string_view>
#include <vector>

#include "agent/model/fields/field.h"

namespace model {

inline ValueType name_type() { return text_type(255); }

template <class R>
void add_times(std::vector<Field<R>>& rows) {
  rows.push_back(row<R, &R::id>("id", plain_type(ValueType::Form::uuid), kReadOnly));
  rows.push_back(row<R, &R::provisioning_status>(
      "provisioning_status", choice_type(all_words<ProvisioningStatus>()), kReadOnly));
  rows.push_back(
      row<R, &R::created_at>("created_at", plain_type(ValueType::Form::time), kReadOnly));
  rows.push_back(
      row<R, &R::updated_at>("updated_at", plain_type(ValueType::Form::time), kReadOnly));
}

template <class R>
Field<R> name_row() {
  return row<R, &R::name>("name", name_type(), kAlways);
}
template <class R>
Field<R> description_row() {
  return row<R, &R::description>("description", name_type(), kAlways);
}
template <class R>
Field<R> admin_row() {
  return row<R, &R::admin_state_up>("admin_state_up", boolean_type(), kAlways)
      .null_means(Null::is_false);
}
template <class R>
Field<R> tags_row() {
  return row<R, &R::tags>("tags", texts_type(255), kAlways);
}
// Accepted and without effect on children: they inherit their load balancer's.
template <class R>
Field<R> ignored_project_row(std::string_view name) {
  return relation_row<R>(name, text_type(36), kCreate);
}

}  // namespace model
