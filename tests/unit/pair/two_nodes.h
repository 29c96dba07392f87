// TwoNodes: two sessions over one channel, whose frames a test delivers when it wants.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <span>
#include <string>

#include "agent/pair/session.h"
#include "tests/unit/pair/fake_table.h"

namespace pair {

inline constexpr uint32_t kLines = 64;

// Frames out of bytes, as a channel cuts them.
inline base::Status deliver(Session& to, const std::string& bytes, Time now) {
  std::span<const uint8_t> rest(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  while (!rest.empty()) {
    const auto header = decode_header(rest.first<kHeaderBytes>());
    if (!header) return header.error();
    if (auto done = to.take(header->type, rest.subspan(kHeaderBytes, header->bytes), now); !done)
      return done;
    rest = rest.subspan(kHeaderBytes + header->bytes);
  }
  return base::Unit{};
}

class TwoNodes : public testing::Test {
 protected:
  TwoNodes() { a_->set_role(Role::active); }

  void connect() {
    const std::string from_a = a_->begin(), from_b = b_->begin();
    ASSERT_TRUE(deliver(*b_, from_a, now_).ok());
    ASSERT_TRUE(deliver(*a_, from_b, now_).ok());
  }
  void cut() {
    a_->finish("cut");
    b_->finish("cut");
  }
  // Both send what they have.
  void turn() {
    now_ += Session::kTick;
    if (!a_->is_connected() || !b_->is_connected()) return;
    const std::string from_a = a_->produce(now_), from_b = b_->produce(now_);
    ASSERT_TRUE(deliver(*b_, from_a, now_).ok());
    ASSERT_TRUE(deliver(*a_, from_b, now_).ok());
  }
  void turns(int count) {
    for (int i = 0; i < count; i++) turn();
  }
  // As long as a walk needs that begins now, or later because one has just been.
  void settle() {
    now_ += Sender::kWalkEvery;
    turns(2 * kLines);
  }

  Time now_{std::chrono::hours(1)};
  FakeTable table_a_{kLines}, table_b_{kLines};
  Hello hello_a_{1, 1, 17, kLines, kLines}, hello_b_{1, 1, 18, kLines, kLines};
  std::unique_ptr<Session> a_ = std::make_unique<Session>(table_a_, table_a_, hello_a_);
  std::unique_ptr<Session> b_ = std::make_unique<Session>(table_b_, table_b_, hello_b_);
};

}  // namespace pair
