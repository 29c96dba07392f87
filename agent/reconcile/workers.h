// Workers: the threads of the agent, all of them, and what each may touch.
//
// - The loop's thread runs every coroutine: requests, changes of the model, the reconciler, health
//   checks, the sweep over the flow table (mapped memory), a pair's channel and the programs that
//   put its flows there, netlink watches. Whatever a class keeps is the loop's unless its header
//   says otherwise. It never blocks.
// - The five below block for it, one call at a time each, in the order of the calls. They work on
//   values that they are given and on what is named here; what they return is taken on the loop.
//
// Three threads touch certificates::Store, which locks. Nothing else is shared.
#pragma once

#include "agent/reconcile/worker.h"

namespace reconcile {

struct Workers {
  // Edits of the model, with HAProxy's opinion of them (serve::L7Judge), and the files of
  // <state_dir>: state.json (Store), statistics.json. Reads the certificates' store.
  Worker storage;
  // netns::Network, announcements and DHCP clients, datapath::Datapath but for its flow table, and
  // the planner, which reads what both say. Reads the certificates' store.
  Worker machine;
  // haproxy::Process: its processes, sockets and files.
  Worker haproxy;
  // datapath::Grace: waits until no run of the program can see what was taken away. Then it tells
  // the ends of the connections that this ended, by sockets of its own.
  Worker grace;
  // certificates::Store: keys of bundles may take long to derive. Large bodies of requests.
  Worker certificates;

  // Nothing that they were given is used any more when it returns.
  void finish() {
    for (Worker* one : {&storage, &machine, &haproxy, &grace, &certificates}) one->finish();
  }
};

}  // namespace reconcile
