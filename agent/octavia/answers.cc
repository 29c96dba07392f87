#include "agent/octavia/answers.h"

#include <openssl/evp.h>

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "agent/http/response.h"
#include "base/digest.h"

namespace octavia {

using nlohmann::json;

http::Response answer(int status, std::string_view message, std::string_view details) {
  json body = json::object();
  if (!message.empty()) body["message"] = message;
  if (!details.empty()) body["details"] = details;
  return http::json_response(status, body);
}

http::Response answer(const Answer& given) {
  if (given.error.empty()) return answer(given.status, given.message, given.details);
  return http::json_response(given.status, {{"error", given.error}, {"http_code", given.status}});
}

http::Response with_interface(std::string_view name) {
  return http::json_response(200, {{"message", "OK"}, {"interface", name}});
}

http::Response generic_error(int status, std::string_view text) {
  return answer(Answer{status, "", "", std::to_string(status) + " " + std::string(text)});
}

http::Response failure(std::string_view text) {
  return answer(Answer{500, "", "", std::string(text)});
}

http::Response refusal(int status, std::string_view text) {
  constexpr std::array kUnderstood{400, 401, 403, 404, 405, 409, 500, 503};
  bool understood = false;
  for (const int known : kUnderstood) understood = understood || known == status;
  if (understood) return generic_error(status, text);
  return generic_error(status < 500 ? 400 : 500, text);
}

std::string md5_hex(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_md5(), nullptr);
  return base::hex(digest.data(), size);
}

http::Response with_etag(http::Response response, std::string_view bytes) {
  response.headers.emplace_back("ETag", md5_hex(bytes));
  return response;
}

}  // namespace octavia
