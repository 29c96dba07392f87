#include "agent/model/words.h"

namespace model {

std::string text(ProvisioningStatus status) { return std::string(word(status)); }
std::string text(OperatingStatus status) { return std::string(word(status)); }
std::string text(ListenerProtocol protocol) { return std::string(word(protocol)); }
std::string text(PoolProtocol protocol) { return std::string(word(protocol)); }
std::string text(MonitorType type) { return std::string(word(type)); }
std::string text(Algorithm algorithm) { return std::string(word(algorithm)); }

}  // namespace model
