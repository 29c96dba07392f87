// Folders of tests.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <string>

namespace test {

// A new folder of nobody else's, in $TMPDIR if that is set, that says whose it is as those of
// scripts do; whoever asks removes it. "": none could be made, and the test has failed.
inline std::string temporary_folder(const std::string& name) {
  std::string folder = testing::TempDir() + "amphora-xdp-" + name + ".XXXXXX";
  if (::mkdtemp(folder.data()) != nullptr) return folder;
  ADD_FAILURE() << "cannot make " << folder;
  return "";
}

}  // namespace test
