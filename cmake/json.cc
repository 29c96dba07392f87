// nlohmann::json's members, instantiated here and nowhere else (cmake/json.h).
#include "cmake/json.h"

template class nlohmann::basic_json<>;
