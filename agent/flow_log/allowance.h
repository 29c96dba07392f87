// How many lines may be written: so many a second, and some more at once. Pure.
#pragma once

#include <algorithm>
#include <chrono>

namespace flow_log {

class Allowance {
 public:
  using Time = std::chrono::steady_clock::time_point;

  Allowance(double a_second, double at_once) : rate_(a_second), most_(at_once), left_(at_once) {}

  // One line now? Times do not go back.
  bool take(Time now) {
    const double passed = std::chrono::duration<double>(now - last_).count();
    if (last_ != Time{}) left_ = std::min(most_, left_ + rate_ * std::max(passed, 0.0));
    last_ = now;
    if (left_ < 1) return false;
    left_ -= 1;
    return true;
  }

 private:
  double rate_, most_, left_;
  Time last_{};
};

}  // namespace flow_log
