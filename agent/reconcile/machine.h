// Machine: everything the reconciler does to the world, so that a test can stand in for it and fail
// at any call. Calls block; they come from one thread at a time.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "agent/datapath/links.h"
#include "agent/datapath/tables.h"
#include "agent/plan/plan.h"
#include "base/result.h"
#include "haproxy/haproxy_spec.h"
#include "netns/netns_spec.h"

namespace reconcile {

class Machine {
 public:
  virtual ~Machine() = default;

  struct Arranged {
    netns::Observed observed;          // afterwards; hops for the targets of the layout
    std::vector<std::string> missing;  // wanted interfaces that are nowhere yet
    std::vector<std::string> errors;   // what could not be done; the rest is done
  };
  // Only looks; hops for the targets of the layout.
  virtual base::Result<netns::Observed> observe(const netns::LayoutSpec& layout) = 0;
  // Brings the namespace to `layout`. An error: nothing could be seen or done.
  virtual base::Result<Arranged> arrange(const netns::LayoutSpec& layout) = 0;
  struct Attached {
    std::vector<datapath::Attachment> attachments;  // all that could be made
    std::string error;                              // of the others; empty: none
  };
  // XDP on every link but the loopback.
  virtual Attached attach(const netns::Observed& observed) = 0;

  virtual const datapath::Tables& tables() const = 0;
  virtual base::Status apply(std::span<const datapath::Step> steps) = 0;
  virtual plan::Resting resting() const = 0;
  // Client-side next hops follow the neighbours.
  virtual base::Status resolve(const netns::Observed& observed) = 0;

  // The files of the certificates that the model refers to, by reference; of those that have one.
  virtual std::map<std::string, haproxy::PemFile> certificates(const model::Model& model) = 0;

  // Of these two, calls come from another thread, one at a time.
  // HAProxy serves this when it returns, but for the load balancers that are returned, each with
  // the reason, in HAProxy's words if they are its: what was served there before still is.
  virtual std::map<base::Uuid, base::Error> serve(const haproxy::Specs& specs) = 0;
  virtual const haproxy::Specs& served() const = 0;  // as accepted last
};

}  // namespace reconcile
