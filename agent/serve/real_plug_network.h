// The network of an amphora for plugging: what is there is read from the kernel, what is wanted
// goes to the reconciler, which is the only one to change anything.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "agent/octavia/plugging.h"
#include "agent/reconcile/changes.h"
#include "agent/reconcile/worker.h"
#include "netns/namespace.h"

namespace serve {

class RealPlugNetwork final : public octavia::PlugNetwork {
 public:
  // Both outlive it. `announce` is called when the namespace has its addresses.
  RealPlugNetwork(const netns::Namespace& space, reconcile::Delivery& delivery,
                  std::function<void()> announce)
      : space_(space), delivery_(delivery), announce_(std::move(announce)) {}

  octavia::Awaited<base::Result<Nics>> nics() override;
  octavia::Awaited<base::Status> rescan() override;
  octavia::Awaited<base::Status> configure(netns::LayoutSpec layout) override;
  octavia::Awaited<base::Status> enforce(std::vector<octavia::VipRule> rules) override;

  // Called when other rules are to be enforced; returns when they are.
  void enforce_with(std::function<octavia::Awaited<base::Status>()> call) {
    enforce_ = std::move(call);
  }

 private:
  const netns::Namespace& space_;
  reconcile::Delivery& delivery_;
  std::function<void()> announce_;
  reconcile::Worker worker_;
  std::function<octavia::Awaited<base::Status>()> enforce_;
};

}  // namespace serve
