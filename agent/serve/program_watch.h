// ProgramWatch: sees when somebody has taken our program off an interface, of XDP or of tc ingress,
// of which the kernel tells nobody, and has it put back.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <string>

#include "agent/reconcile/event.h"
#include "agent/reconcile/reconciler.h"
#include "agent/reconcile/worker.h"
#include "netns/namespace.h"

namespace serve {

class ProgramWatch {
 public:
  // `pins`: the folder of this version. The namespace and the reconciler outlive it.
  ProgramWatch(const boost::asio::any_io_executor& loop, const netns::Namespace& space,
               std::string pins, reconcile::Reconciler& reconciler);

  // Until stop(): looks twice a second.
  boost::asio::awaitable<void> run();
  void stop();

  // The interface without a program, of those that are there and had it; "": there is none.
  const std::string& lost() const { return lost_; }

 private:
  const netns::Namespace& space_;
  std::string pins_;
  reconcile::Reconciler& reconciler_;
  reconcile::Event wake_;
  std::string lost_;
  bool stopped_ = false;
  // Of its own: the machine's may be busy for seconds.
  reconcile::Worker worker_;
};

}  // namespace serve
