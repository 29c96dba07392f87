// What a service manager gets of us: lines with priorities, and word that we are ready.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "base/fd.h"
#include "base/log.h"
#include "base/service_manager.h"
#include "base/socket_address.h"
#include "tests/support/temporary_folder.h"

namespace base {
namespace {

enum class Journal { is_told, is_another };

// What a process writes to its standard error, a file, when it logs.
std::string logged(Journal journal) {
  const Fd file(memfd_create("log", MFD_CLOEXEC));
  const pid_t child = fork();
  if (child == 0) {
    struct stat seen {};
    fstat(file.get(), &seen);
    const auto inode = seen.st_ino + (journal == Journal::is_told ? 0 : 1);
    setenv("JOURNAL_STREAM", (std::to_string(seen.st_dev) + ":" + std::to_string(inode)).c_str(),
           1);
    dup2(file.get(), STDERR_FILENO);
    start_log(spdlog::level::trace, std::nullopt);
    spdlog::error("gone {}", 5);
    spdlog::warn("short");
    spdlog::info("here");
    spdlog::debug("why");
    spdlog::default_logger()->flush();
    _exit(0);
  }
  waitpid(child, nullptr, 0);
  std::string out(4096, '\0');
  out.resize(static_cast<size_t>(pread(file.get(), out.data(), out.size(), 0)));
  return out;
}

TEST(Log, TellsTheJournalPriorities) {
  EXPECT_EQ(logged(Journal::is_told), "<3>gone 5\n<4>short\n<6>here\n<7>why\n");
}

TEST(Log, TellsOthersTheLevel) {
  EXPECT_EQ(logged(Journal::is_another), "error: gone 5\nwarning: short\ninfo: here\ndebug: why\n");
}

TEST(ServiceManager, IsTold) {
  const std::string folder = test::temporary_folder("service");
  const std::string path = folder + "/notify";
  const Fd socket(::socket(AF_UNIX, SOCK_DGRAM, 0));
  const auto at = unix_address(path).value();
  ASSERT_EQ(bind(socket.get(), at.get(), at.size), 0);
  setenv("NOTIFY_SOCKET", path.c_str(), 1);
  tell_service_manager("READY=1");
  char heard[16] = {};
  EXPECT_EQ(recv(socket.get(), heard, sizeof(heard), MSG_DONTWAIT), 7);
  EXPECT_STREQ(heard, "READY=1");
  unlink(path.c_str());
  tell_service_manager("STOPPING=1");  // nobody listens any more
  unsetenv("NOTIFY_SOCKET");
  tell_service_manager("STOPPING=1");
  rmdir(folder.c_str());
}

}  // namespace
}  // namespace base
