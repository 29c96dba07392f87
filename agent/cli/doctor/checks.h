// The checks, each a pure function of the facts. diagnose() runs them all.
#pragma once

#include <vector>

#include "agent/cli/doctor/diagnosis.h"

namespace doctor {

using Diagnoses = std::vector<Diagnosis>;

Diagnoses check_configuration(const Facts& facts);
Diagnoses check_agent(const Facts& facts);

Diagnoses check_kernel(const Facts& facts);
Diagnoses check_bpffs(const Facts& facts);
Diagnoses check_pins(const Facts& facts);
Diagnoses check_flow_table(const Facts& facts);

Diagnoses check_xdp(const Facts& facts);
Diagnoses check_offloads(const Facts& facts);
Diagnoses check_mtu(const Facts& facts);
Diagnoses check_queues(const Facts& facts);
Diagnoses check_sysctls(const Facts& facts);

Diagnoses check_programs(const Facts& facts);
Diagnoses check_clock(const Facts& facts);
Diagnoses check_disk(const Facts& facts);
Diagnoses check_certificates(const Facts& facts);
Diagnoses check_controllers(const Facts& facts);

// Of what could not be looked at.
Diagnosis unseen(std::string check, std::string of, const base::Error& why);

}  // namespace doctor
