// A pin folder and a network namespace of one test, gone with it.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "agent/datapath/datapath.h"
#include "base/fd.h"

namespace datapath {

// Runs a shell command; true: exit code 0.
bool shell(const std::string& command);
std::string output_of(const std::string& command);

// Runs it on a thread whose kernel makes no links and does not know which programs are there by
// them, as before Linux 6.6 of TCX. It has no links of XDP, either.
void without_links(const std::function<void()>& work);

class DatapathTest : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  // Small tables, so that a start is quick.
  Options options() const;
  std::unique_ptr<Datapath> open() { return open(options()); }
  std::unique_ptr<Datapath> open(const Options& with);
  std::unique_ptr<Datapath> open_on(Hook hook);  // of all interfaces
  std::string error_of(const Options& with);

  std::string folder() const { return root_ + "/v" + std::to_string(LB_ABI_VERSION); }
  uint32_t ifindex(const std::string& name) const;
  // Id of the XDP program on an interface; 0: none.
  uint32_t program_on(const std::string& name) const;
  // Id of the program on tc ingress; 0: none.
  uint32_t ingress_on(const std::string& name) const;
  // A pair of veths, both up: <name> and <name>p.
  void make_veth(const std::string& name);
  // Attaches a program that passes everything, by no link.
  void attach_foreign_program(const std::string& name);

  std::string root_;

 private:
  base::Fd home_;  // network namespace
};

}  // namespace datapath
