// HandoverStep: how far an upgrade to maps of another layout is.
#pragma once

#include <functional>

namespace datapath {

// What is done, of the steps of a handover: where a test may end the agent.
enum class HandoverStep {
  copied,     // policy is in these maps, which are complete
  linked,     // links are this version's, and run the program that leaves the rest to the older one
  taken,      // flows are here, and still there
  settled,    // flows are here alone
  denied,     // no flow begins any more
  all_taken,  // the rest, too
  alone,      // the older program has no packets any more
  counted,    // its counts are here
  forgotten,  // its maps are not complete any more
};
using HandoverHook = std::function<void(HandoverStep)>;

}  // namespace datapath
