// The body of GET /v1/flows: JSON lines, made while they are sent.
#pragma once

#include <memory>

#include "agent/control/flow_filter.h"
#include "agent/control/operator.h"
#include "agent/http/http.h"
#include "agent/model/model.h"

namespace control {

// Names are taken from `m` now; flows of resources that it does not have keep their ids only.
std::unique_ptr<http::BodyStream> flow_stream(std::unique_ptr<FlowWalk> walk, FlowFilter filter,
                                              const model::Model& m);

}  // namespace control
