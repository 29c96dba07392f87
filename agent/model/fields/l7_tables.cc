// The attributes of L7 policies and rules, in the order in which the API looks at them.
#include <limits>

#include "agent/model/fields/l7_text.h"
#include "agent/model/fields/rows.h"
#include "agent/model/kinds.h"

namespace model {

namespace {

using Form = ValueType::Form;

std::vector<Field<L7Policy>> l7policy_rows() {
  using R = L7Policy;
  const auto position = integer_type(1, std::numeric_limits<int>::max());
  std::vector<Field<R>> rows{
      name_row<R>(),
      description_row<R>(),
      admin_row<R>(),
      ignored_project_row<R>("project_id"),
      ignored_project_row<R>("tenant_id"),
      row<R, &R::action>("action", choice_type(all_words<PolicyAction>()), kAlways)
          .needed({400, "Invalid L7 Policy action specified: None"}),
      row<R, &R::redirect_pool>("redirect_pool_id", plain_type(Form::uuid), kCreate | kUpdate),
      relation_row<R>("redirect_pool", plain_type(Form::object), kNested),
      nullable_row<R, &R::redirect_url>("redirect_url", custom_type(read_url), kAlways),
      nullable_row<R, &R::redirect_prefix>("redirect_prefix", custom_type(read_url), kAlways),
      row<R, &R::position>("position", position, kAlways).null_means(Null::is_absence),
      row<R, &R::listener>("listener_id", plain_type(Form::uuid), kCreate)
          .needed(not_found(Kind::listener, "None")),
      relation_row<R>("rules", plain_type(Form::objects), kNested),
      tags_row<R>(),
      row<R, &R::redirect_http_code>("redirect_http_code", custom_type(read_redirect_code),
                                     kAlways),
  };
  add_times(rows);
  return rows;
}

std::vector<Field<L7Rule>> l7rule_rows() {
  using R = L7Rule;
  std::vector<Field<R>> rows{
      row<R, &R::type>("type", choice_type(all_words<RuleType>()), kAlways)
          .needed(invalid_rule("invalid rule type")),
      row<R, &R::compare_type>("compare_type", choice_type(all_words<CompareType>()), kAlways)
          .needed(invalid_rule("invalid comparison type for rule type")),
      nullable_row<R, &R::key>("key", custom_type(read_line), kAlways),
      row<R, &R::value>("value", custom_type(read_line), kAlways)
          .needed(invalid_rule("L7 rule type requires a value")),
      row<R, &R::invert>("invert", boolean_type(), kAlways),
      admin_row<R>(),
      ignored_project_row<R>("project_id"),
      ignored_project_row<R>("tenant_id"),
      tags_row<R>(),
      row<R, &R::policy>("l7policy_id", plain_type(Form::uuid), kReadOnly).where(Kept::saved),
  };
  add_times(rows);
  return rows;
}

}  // namespace

template <>
const std::vector<Field<L7Policy>>& table() {
  static const auto rows = l7policy_rows();
  return rows;
}
template <>
const std::vector<Field<L7Rule>>& table() {
  static const auto rows = l7rule_rows();
  return rows;
}

}  // namespace model
