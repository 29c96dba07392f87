// A translation written out for people, one resource a line, and texts to translate.
#pragma once

#include <string>

#include "agent/octavia/translate.h"

namespace octavia_test {

inline constexpr const char* kLoadBalancer = "6e0a3b1c-2f4d-4c56-8a7b-0f1e2d3c4b5a";
inline constexpr const char* kAmphora = "3c1b0a9f-8e7d-4c6b-9a58-473625141302";

base::Uuid uuid(const std::string& text);  // aborts on text that is none
base::Uuid listener_id(int number);        // as in the samples; so are these
base::Uuid pool_id(int number);
base::Uuid member_id(int number);

std::string sample(const std::string& name);  // "lvs/01-udp-rr-nohm.conf"

// The uploads of the one load balancer of the samples.
octavia::Uploads haproxy_upload(const std::string& text);
octavia::Uploads lvs_upload(const std::string& text, int listener = 1);

base::Result<model::Model> translated(const octavia::Uploads& uploads);

// The text with the first `what` replaced; a test fails that names nothing.
std::string replaced(std::string text, const std::string& what, const std::string& with);

// `upload`: the haproxy.cfg that the model comes from; "": none.
std::string written(const model::Model& model, const std::string& upload);

}  // namespace octavia_test
