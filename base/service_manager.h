// What systemd is told of us, where it has started us (sd_notify(3)).
#pragma once

#include <string_view>

namespace base {

// "READY=1", "STOPPING=1". Nothing happens where nobody listens ($NOTIFY_SOCKET).
void tell_service_manager(std::string_view state);

}  // namespace base
