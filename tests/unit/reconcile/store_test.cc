// The model on disk: what is read after each way a save can end.
#include "agent/reconcile/store.h"

#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "agent/model/show/json.h"
#include "tests/support/temporary_folder.h"

namespace reconcile {
namespace {

class StoreTest : public testing::Test {
 protected:
  StoreTest() { directory_ = test::temporary_folder("store"); }
  ~StoreTest() override { std::filesystem::remove_all(directory_); }

  Store open() {
    auto store = Store::open(directory_);
    EXPECT_TRUE(store.ok());
    return *store;
  }
  void overwrite(const std::string& name, const std::string& text) {
    std::ofstream(directory_ + "/" + name) << text;
  }

  std::string directory_;
};

// A model that is told apart by its number of load balancers.
model::Model model_of(size_t load_balancers) {
  model::Model m;
  while (m.load_balancers.size() < load_balancers) {
    model::LoadBalancer lb;
    lb.id = base::Uuid::random();
    lb.vip_address =
        base::IpAddress::v4(0xc6336400 + static_cast<uint32_t>(m.load_balancers.size()));
    lb.project_id = "p";
    lb.provider = "amphora-xdp";
    m.load_balancers[lb.id] = lb;
  }
  return m;
}

size_t loaded(const Store& store) {
  auto m = store.load();
  EXPECT_TRUE(m.ok()) << m.error().message();
  return m ? m->load_balancers.size() : ~0u;
}

TEST_F(StoreTest, NothingSavedIsAnEmptyModel) { EXPECT_EQ(loaded(open()), 0u); }

TEST_F(StoreTest, LastSaveIsRead) {
  Store store = open();
  ASSERT_TRUE(store.save(model_of(1)).ok());
  ASSERT_TRUE(store.save(model_of(3)).ok());
  EXPECT_EQ(loaded(open()), 3u);
}

TEST_F(StoreTest, DamagedFileFallsBackToThePreviousAndStaysOutOfTheWay) {
  Store store = open();
  ASSERT_TRUE(store.save(model_of(1)).ok());
  ASSERT_TRUE(store.save(model_of(2)).ok());
  overwrite("state.json", "{\"version\": 1, \"load_bal");
  EXPECT_EQ(loaded(open()), 1u);
  EXPECT_TRUE(std::filesystem::exists(directory_ + "/state.json.damaged"));
  EXPECT_EQ(loaded(open()), 1u) << "a second start must read the same";
  ASSERT_TRUE(store.save(model_of(4)).ok());
  EXPECT_EQ(loaded(open()), 4u);
}

std::string text_of(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

// A bit that flips makes no other configuration of it: what was saved before is read.
TEST_F(StoreTest, NoSingleBitMakesAnotherModel) {
  Store store = open();
  const model::Model before = model_of(1), last = model_of(2);
  ASSERT_TRUE(store.save(before).ok());
  ASSERT_TRUE(store.save(last).ok());
  const std::string path = directory_ + "/state.json", good = text_of(path);
  for (size_t bit = 0; bit < good.size() * 8; bit += bit < 800 ? 1 : 13) {
    std::string damaged = good;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ 1 << bit % 8);
    overwrite("state.json", damaged);
    const auto found = open().load();
    ASSERT_TRUE(found.ok()) << "bit " << bit;
    EXPECT_EQ(*found, before) << "bit " << bit;
  }
  overwrite("state.json", good);
  EXPECT_EQ(*open().load(), last);
}

TEST_F(StoreTest, FilesWithoutAChecksumAreRead) {
  overwrite("state.json", model::save(model_of(3)).dump());
  EXPECT_EQ(loaded(open()), 3u);
}

// As on a disk that had errors and is mounted again, read-only.
TEST_F(StoreTest, OpensOnADiskThatCanOnlyBeRead) {
  Store store = open();
  ASSERT_TRUE(store.save(model_of(1)).ok());
  ASSERT_TRUE(store.save(model_of(2)).ok());
  overwrite("state.json", "damaged");
  enum : int { kFine, kNoMounts, kNotOpened, kNotRead };
  const pid_t child = fork();
  if (child == 0) {
    const char* directory = directory_.c_str();
    // Whoever is not root is it in a user namespace of his own.
    const int spaces = CLONE_NEWNS | (geteuid() == 0 ? 0 : CLONE_NEWUSER);
    const bool mounted =
        unshare(spaces) == 0 && mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
        mount(directory, directory, nullptr, MS_BIND, nullptr) == 0 &&
        mount(nullptr, directory, nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr) == 0;
    if (!mounted) _exit(kNoMounts);
    auto opened = Store::open(directory_);
    if (!opened) _exit(kNotOpened);
    auto found = opened->load();
    _exit(found && found->load_balancers.size() == 1 && !opened->save(model_of(4)) ? kFine
                                                                                   : kNotRead);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), kFine);
}

TEST_F(StoreTest, BothDamagedIsAnErrorThatNamesTheFile) {
  Store store = open();
  ASSERT_TRUE(store.save(model_of(1)).ok());
  ASSERT_TRUE(store.save(model_of(2)).ok());
  overwrite("state.json", "x");
  overwrite("state.json.previous", "[]");
  auto m = open().load();
  ASSERT_FALSE(m.ok());
  EXPECT_THAT(m.error().message(), testing::HasSubstr("state.json"));
}

TEST_F(StoreTest, FailedSaveSaysWhyAndKeepsTheLast) {
  Store store = open();
  ASSERT_TRUE(store.save(model_of(2)).ok());
  // Root may write anywhere, so the failure is a folder in the way.
  std::filesystem::create_directory(directory_ + "/state.json.next");
  auto saved = store.save(model_of(3));
  ASSERT_FALSE(saved.ok());
  EXPECT_THAT(saved.error().message(), testing::HasSubstr("state.json.next"));
  EXPECT_EQ(loaded(open()), 2u);
}

TEST_F(StoreTest, FullDiskKeepsTheLast) {
  Store store = open();
  ASSERT_TRUE(store.save(model_of(2)).ok());
  pid_t child = fork();
  if (child == 0) {
    struct rlimit limit = {1000, 1000};  // a file may not grow beyond: EFBIG, as ENOSPC would
    std::signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    _exit(store.save(model_of(50)).ok() ? 1 : 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0) << "the save must have failed";
  EXPECT_EQ(loaded(open()), 2u);
}

TEST_F(StoreTest, KilledAtAnyMomentLeavesAWholeModelNoOlderThanTheLastAnswer) {
  Store store = open();
  ASSERT_TRUE(store.save(model_of(1)).ok());
  for (int round = 0; round < 50; round++) {
    int answers[2];
    ASSERT_EQ(pipe(answers), 0);
    pid_t child = fork();
    if (child == 0) {
      for (size_t n = 1; n < 200; n++) {
        if (!store.save(model_of(n)).ok()) _exit(1);
        if (write(answers[1], &n, sizeof(n)) != sizeof(n)) _exit(1);
      }
      _exit(0);
    }
    close(answers[1]);
    usleep(static_cast<useconds_t>(500 + 700 * round));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    size_t answered = 0;
    for (size_t n; read(answers[0], &n, sizeof(n)) == sizeof(n);) answered = n;
    close(answers[0]);
    if (answered == 0) continue;
    size_t found = loaded(open());
    EXPECT_GE(found, answered);
    EXPECT_LE(found, answered + 1);
  }
}

TEST_F(StoreTest, StateIsNotForOthersToRead) {
  ASSERT_TRUE(open().save(model_of(1)).ok());
  struct stat info {};
  ASSERT_EQ(stat((directory_ + "/state.json").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

}  // namespace
}  // namespace reconcile
