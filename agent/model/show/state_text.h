// The state file as text, a resource on each line. What has not changed since the last time is not
// made again: a change costs what it changes, not what there is.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "agent/model/model.h"

namespace model {

class StateText {
 public:
  // What save() (json.h) says of the model.
  std::string of(const Model& m);

 private:
  template <class R>
  struct Line {
    R resource;
    std::string text;
  };
  template <class R>
  using Lines = std::map<Uuid, Line<R>>;

  template <class R>
  static void write(std::string_view name, const std::map<Uuid, R>& resources, Lines<R>& lines,
                    std::string& out);

  Lines<LoadBalancer> load_balancers_;
  Lines<Listener> listeners_;
  Lines<Pool> pools_;
  Lines<Member> members_;
  Lines<HealthMonitor> health_monitors_;
  Lines<L7Policy> l7policies_;
  Lines<L7Rule> l7rules_;
};

}  // namespace model
