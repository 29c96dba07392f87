// Requests become models here: every rule of the Octavia v2 API about what may be created, changed
// or deleted. Pure: (model, request body) -> (new model, the resource's id) or Octavia's error.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>

#include "agent/model/fault.h"
#include "agent/model/model.h"
#include "agent/model/vip_ranges.h"

namespace model {

struct Edited {
  Model model;
  Uuid id;  // the resource the request was about
};

enum class Cascade { no, yes };
enum class Additive { no, yes };

// What a container reference is to be used as.
enum class CertificateUse {
  identity,     // a certificate with its private key and chain
  authorities,  // CA certificates
  revocations,  // CRLs
};

// What a request may depend on besides the model and its body.
struct Context {
  Time now{};
  // Why a reference cannot be used so (what is asked of the certificates' store), in words that
  // name it; none: it can. Without a store no reference can.
  std::function<std::optional<std::string>(const std::string& ref, CertificateUse use)>
      check_certificate = {};
  // Where VIPs that no request says come from; null: nowhere.
  std::shared_ptr<const VipRanges> vip_ranges = {};
  // Whether the CRLs of the one reference are of the CA certificates of the other; both can be used
  // so. Not there: nobody looks.
  std::function<bool(const std::string& revocations, const std::string& authorities)>
      are_revocations_of = {};
};

// A change locks: what is new becomes PENDING_CREATE, what is changed and everything above it
// PENDING_UPDATE, what goes PENDING_DELETE. A load balancer that is not ACTIVE refuses changes with
// 409, unless it is in ERROR: a change, or its removal, may be what repairs it.

// `body` is the whole request body ({"listener": {...}}). `parent` is the pool of a member and the
// policy of a rule, unused otherwise. New ids are random.
Outcome<Edited> create(const Model& m, Kind kind, const Uuid& parent, const nlohmann::json& body,
                       const Context& context);
Outcome<Edited> update(const Model& m, Kind kind, const Uuid& parent, const Uuid& id,
                       const nlohmann::json& body, const Context& context);
// Marks PENDING_DELETE; `finish_pending` takes it out when the machine no longer has it, and closes
// the gap in the positions of policies. A pool that goes is taken from the listeners whose default
// it was at once; one that a policy redirects to stays (409).
Outcome<Edited> remove(const Model& m, Kind kind, const Uuid& parent, const Uuid& id,
                       Cascade cascade, const Context& context);
// Everything of the load balancer is made anew: what was in ERROR is tried again, and its
// `renewals` tell those who keep processes for it.
Outcome<Edited> renew(const Model& m, const Uuid& id, const Context& context);

// PUT /pools/{id}/members
Outcome<Edited> replace_members(const Model& m, const Uuid& pool, const nlohmann::json& body,
                                Additive additive, const Context& context);

// After the machine carried a model out: of these load balancers and all that is theirs, what is
// PENDING_DELETE goes, everything else becomes ACTIVE (ERROR too: the machine has it now). After a
// failure what is PENDING_* becomes ERROR.
enum class Carried { out, failed };
Model finish_pending(const Model& m, Carried carried, const std::set<Uuid>& load_balancers,
                     const Context& context);

// After it carried out everything of these load balancers but some listeners: of these, what is
// above them and what they use becomes ERROR what is PENDING_CREATE or PENDING_UPDATE. What is
// PENDING_DELETE goes: it may be the part at fault.
Model finish_without(const Model& m, const std::set<Uuid>& unserved,
                     const std::set<Uuid>& load_balancers, const Context& context);

}  // namespace model
