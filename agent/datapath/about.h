// What a set of maps is: of those that are pinned, and of those that are to be made.
#pragma once

#include "agent/datapath/datapath.h"
#include "agent/datapath/kernel_maps.h"
#include "base/result.h"

namespace datapath {

base::Result<Datapath::About> about_fresh(const Options& options);
// Errors: a map is missing, or of another version than its folder.
base::Result<Datapath::About> about_pinned(KernelMaps& pinned, const Options& options);
// Of maps that fit those of an older version: what these hold will be there when they are used.
base::Result<Datapath::About> about_successor(const KernelMaps& old, const Options& options);

}  // namespace datapath
