// Paths of sockets, and whether somebody listens there.
#include "base/socket_address.h"

#include <gtest/gtest.h>
#include <sys/un.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <vector>

#include "base/fd.h"
#include "tests/support/temporary_folder.h"

namespace base {
namespace {

constexpr size_t kLongest = sizeof(sockaddr_un::sun_path) - 1;

TEST(UnixAddress, IsOfAPathThatFits) {
  const auto address = unix_address(std::string(kLongest, 'x'));
  ASSERT_TRUE(address);
  const auto& as_kernel_sees_it = reinterpret_cast<const sockaddr_un&>(address->storage);
  EXPECT_EQ(as_kernel_sees_it.sun_family, AF_UNIX);
  EXPECT_EQ(as_kernel_sees_it.sun_path, std::string(kLongest, 'x'));
  EXPECT_EQ(address->size, sizeof(sockaddr_un));
  EXPECT_FALSE(unix_address(std::string(kLongest + 1, 'x')));
  EXPECT_FALSE(unix_address(""));
}

class Listeners : public testing::Test {
 protected:
  void SetUp() override { folder_ = test::temporary_folder("listener"); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  Fd listen(int backlog) {
    Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto address = unix_address(path()).value();
    EXPECT_EQ(::bind(fd.get(), address.get(), address.size), 0);
    EXPECT_EQ(::listen(fd.get(), backlog), 0);
    return fd;
  }
  std::string path() const { return folder_ + "/socket"; }

  std::string folder_;
};

TEST_F(Listeners, AreFoundWhileTheyListen) {
  EXPECT_EQ(find_listener(path()).error().code, ENOENT);
  {
    const Fd listening = listen(8);
    EXPECT_TRUE(find_listener(path()));
  }
  EXPECT_EQ(find_listener(path()).error().code, ECONNREFUSED);
  EXPECT_EQ(find_listener(std::string(kLongest + 1, 'x')).error().code, ENAMETOOLONG);
}

TEST_F(Listeners, ThatAreBusyAreThere) {
  const Fd listening = listen(0);
  const auto address = unix_address(path()).value();
  std::vector<Fd> waiting;
  int error = 0;
  while (error == 0 && waiting.size() < 100) {
    waiting.emplace_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    error = ::connect(waiting.back().get(), address.get(), address.size) == 0 ? 0 : errno;
  }
  ASSERT_EQ(error, EAGAIN);
  EXPECT_TRUE(find_listener(path()));
}

}  // namespace
}  // namespace base
