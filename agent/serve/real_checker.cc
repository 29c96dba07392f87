#include "agent/serve/real_checker.h"

#include <utility>

#include "haproxy/check.h"

namespace serve {

octavia::Awaited<base::Status> RealChecker::check(std::string text, std::string peer_name) {
  auto check = [this, upload = haproxy::Uploaded{std::move(text), std::move(peer_name)}] {
    return haproxy::check_upload(paths_, upload);
  };
  co_return co_await worker_.run(std::move(check));
}

}  // namespace serve
