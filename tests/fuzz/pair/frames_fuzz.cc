// Any bytes at all as what the other node says after it has greeted, to a standby and to an active
// node: refused, or taken as said; and a frame that is read is written as it came.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include "agent/pair/session.h"
#include "tests/unit/pair/fake_table.h"

namespace {

void check(bool holds) {
  if (!holds) std::abort();
}

void feed(std::span<const uint8_t> bytes, pair::Role role) {
  constexpr uint32_t kLines = 16;
  pair::FakeTable table(kLines);
  const pair::Hello hello{1, 1, 7, kLines, kLines};
  pair::Session session(table, table, hello);
  session.set_role(role);
  session.begin();
  const std::string greeting = pair::encode(hello);
  const auto* first = reinterpret_cast<const uint8_t*>(greeting.data());
  check(
      session.take(1, {first + pair::kHeaderBytes, greeting.size() - pair::kHeaderBytes}, {}).ok());
  while (bytes.size() >= pair::kHeaderBytes) {
    const auto header = pair::decode_header(bytes.first<pair::kHeaderBytes>());
    if (!header || header->bytes > bytes.size() - pair::kHeaderBytes) return;
    const auto body = bytes.subspan(pair::kHeaderBytes, header->bytes);
    const auto frame = pair::decode(header->type, body);
    if (frame && *frame) {
      const std::string again = pair::encode(**frame);
      check(again.size() == pair::kHeaderBytes + body.size());
    }
    const bool taken = session.take(header->type, body, {}).ok();
    check(frame.ok() || !taken);
    check(table.flows().size() <= kLines);
    if (!taken) return;
    bytes = bytes.subspan(pair::kHeaderBytes + header->bytes);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  feed({data, size}, pair::Role::standby);
  feed({data, size}, pair::Role::active);
  return 0;
}
