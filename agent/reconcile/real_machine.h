// The real machine: a network namespace, the pinned datapath, certificates and HAProxy.
#pragma once

#include <optional>

#include "agent/certificates/store.h"
#include "agent/datapath/datapath.h"
#include "agent/reconcile/machine.h"
#include "haproxy/instances.h"
#include "netns/network.h"

namespace reconcile {

class RealMachine final : public Machine {
 public:
  // All of them outlive it; the threads that call are inside the namespace. The agent answers GET
  // /metrics at `metrics_socket`.
  RealMachine(netns::Network& network, datapath::Datapath& datapath, certificates::Store& store,
              haproxy::Instances& haproxy, std::string metrics_socket)
      : network_(network),
        datapath_(datapath),
        certificates_(store),
        haproxy_(haproxy),
        metrics_socket_(std::move(metrics_socket)) {}

  base::Result<netns::Observed> observe(const netns::LayoutSpec& layout) override;
  base::Result<Arranged> arrange(const netns::LayoutSpec& layout) override;
  Attached attach(const netns::Observed& observed) override;
  const datapath::Tables& tables() const override { return datapath_.tables(); }
  base::Status apply(std::span<const datapath::Step> steps) override;
  plan::Resting resting() const override;
  base::Status resolve(const netns::Observed& observed) override;
  std::map<std::string, haproxy::PemFile> certificates(const model::Model& model) override;
  std::map<base::Uuid, base::Error> serve(const haproxy::Specs& specs) override;
  const haproxy::Specs& served() const override { return served_; }

 private:
  netns::Network& network_;
  datapath::Datapath& datapath_;
  certificates::Store& certificates_;
  haproxy::Instances& haproxy_;
  std::string metrics_socket_;
  haproxy::Specs served_;
  std::optional<size_t> ways_;  // routes and rules that flows were told of
};

}  // namespace reconcile
