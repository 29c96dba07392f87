// From the texts that Octavia uploads to the model: which listeners the datapath takes over, with
// everything that the texts say of them, and what stays with HAProxy (contract, sections 5 and 6).
// Pure: the same texts, the same model.
#pragma once

#include <string>
#include <vector>

#include "agent/model/model.h"
#include "agent/octavia/uploads.h"
#include "base/result.h"

namespace octavia {

// Model::amphora is set in it. A frontend of haproxy.cfg in which anything is not understood stays
// with HAProxy, and Amphora::left_to_haproxy says why. The texts name no health monitor of a pool
// of HAProxy's: it has the id of its pool. Of an LVS listener without a pool, or that is switched
// off, nobody says the port: it is 0; of a disabled member of LVS, the place: 0.0.0.0, port 0.
// Error: a text that is none (400 for haproxy.cfg, 500 for LVS), with the text and the line in it:
// "haproxy.cfg, line 12: ...", "listener ID, line 12: ...".
// `amphora` is [amphora_agent] amphora_id.
base::Result<model::Model> translate(const Uploads& uploads, const Uuid& amphora);

// Takes out of `uploads` each text that is none by itself, which another version may have taken.
// What was wrong with them, each with its name.
std::vector<std::string> take_out_unreadable(Uploads& uploads, const Uuid& amphora);

}  // namespace octavia
