// ValueType: what one attribute of a request may be, as data; read_value() checks a JSON value
// against it the way Octavia's API layer (WSME) does and says what is wrong in its words.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "agent/model/fault.h"

namespace model {

constexpr int64_t kMostCharacters = 255;  // of most texts

struct ValueType {
  enum class Form {
    text,      // at most `most` characters
    boolean,   // also 0, 1 and the words that WSME takes for one
    integer,   // least .. most; decimal digits in a string are taken, too
    uuid,      // with or without dashes; read as lower case with dashes
    address,   // IPv4 or IPv6; read in canonical form
    cidr,      // read as a network, host bits cleared
    cidrs,     // list; each network once
    texts,     // list of text
    choice,    // one of `choices`
    text_map,  // object of text
    time,      // as the state file writes it
    object,    // read by whoever knows what is in it
    objects,   // list of such
    custom,    // `read` does it
  };
  using Reader = Outcome<nlohmann::json> (*)(std::string_view field, const nlohmann::json& in);

  Form form = Form::text;
  int64_t least = 0;
  int64_t most = 0;
  std::vector<std::string_view> choices = {};
  Reader read = nullptr;
};

ValueType text_type(int64_t most);
ValueType boolean_type();
ValueType integer_type(int64_t least, int64_t most);
ValueType choice_type(std::vector<std::string_view> choices);
ValueType texts_type(int64_t most);
ValueType plain_type(ValueType::Form form);
ValueType custom_type(ValueType::Reader read);

// 400 "Invalid input for field/attribute <field>. Value: '<value>'. <why>"
Fault invalid_input(std::string_view field, const nlohmann::json& value, std::string_view why);
Fault missing_field(std::string_view field);
// 400 "<value> is not a valid option for <option>"
Fault invalid_option(const std::string& value, const std::string& option);
// 400 "Validation failure: <why>"
Fault validation_failure(const std::string& why);

// How Python writes it: Octavia's errors have lists so ("['a', 'b']").
std::string as_in_python(const nlohmann::json& value);

// The value in canonical form. `in` is not null: what null means is the field's business.
Outcome<nlohmann::json> read_value(std::string_view field, const ValueType& type,
                                   const nlohmann::json& in);

}  // namespace model
