// An uploaded haproxy.cfg (contract, section 5) as a text that our HAProxy may load: it comes from
// a controller that is known, and still none of its words may run a program of its own choice,
// become another user, or name a file outside of the folder of uploads. Pure, but for the ping
// wrapper.
#pragma once

#include <set>
#include <string>

#include "base/ip.h"
#include "base/result.h"
#include "base/uuid.h"
#include "haproxy/haproxy_spec.h"
#include "haproxy/render.h"

namespace haproxy {

// Error: the line, and what it may not say. `folder` is [haproxy_amphora] base_path.
base::Status examine_upload(const Uploaded& uploaded, const std::string& folder);

// What goes before the text: a section with our own statistics socket and this node's name.
std::string own_section(const Uploaded& uploaded, const Surroundings& around);

// Of HAProxy's peers in Octavia's texts: the only one that is open between two amphorae (contract,
// 7.5).
inline constexpr uint16_t kPeersPort = 1025;

// Where HAProxy waits for its peers in place of the address that Octavia's text has for this node:
// that is the agent's, which hands on who comes for HAProxy (agent/pair/port.h).
base::Endpoint place_of_peers();

// The text as it is loaded: every byte as it came, but that address of this node's.
std::string with_own_peer_here(const Uploaded& uploaded);

// The file that a text reads the states of its servers from; "": none.
std::string server_state_file(const std::string& text);

// Both texts in one: the frontends of `running` that are named like one of `moving` are served
// beside `wanted`.
std::string with_leaving_frontends(const std::string& running, const std::string& wanted,
                                   const std::set<base::Uuid>& moving);

// The program that checks a member by PING for HAProxy, at the path that the text names, where it
// names one. Lets programs of any group send echo requests in this network namespace, for HAProxy
// lets its children gain no privileges.
base::Status write_ping_wrapper(const std::string& text);

}  // namespace haproxy
