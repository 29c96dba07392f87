// FlowOps: the operations in both families, and what they count.
#pragma once

#include <gtest/gtest.h>

#include <set>

#include "tests/bpf/flow_table/flow_fixture.h"

namespace flow_test {

class FlowOps : public Flows, public ::testing::WithParamInterface<base::Family> {
 protected:
  void SetUp() override {
    Flows::SetUp();
    family_ = GetParam();
  }
  // Reply lines alone, as they are before their forward lines come; given back at the end.
  int insert_reply(uint32_t id) {
    const int reply = insert(member_line(id));
    if (reply >= 0) replies_.insert(reply);
    return reply;
  }
  void take_back(int reply) {
    give_back(reply);
    replies_.erase(reply);
  }
  void TearDown() override {
    for (int reply : replies_) give_back(reply);
    Flows::TearDown();
  }
  lb_use service_use() const { return memory().service_use()[kService]; }
  lb_use backend_use() const { return memory().backend_use()[kBackend]; }
  uint32_t opening() const { return backend_use().opening; }
  void expect_unused() const {
    EXPECT_EQ(service_use().flows + service_use().closing, 0u);
    EXPECT_EQ(backend_use().flows + backend_use().opening, 0u);
  }
  uint64_t overwritten() const { return memory().cpus()[0].overwritten; }

 private:
  std::set<int> replies_;
};

}  // namespace flow_test
