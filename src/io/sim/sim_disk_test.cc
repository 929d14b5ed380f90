// What the simulated disk keeps and loses: the rules of sim_inode.h, and the faults.
#include "io/sim/sim_disk.h"

#include <gtest/gtest.h>

#include <set>

namespace milena::io {
namespace {

// One machine's disk without a machine.
struct Machine {
  explicit Machine(std::uint64_t seed)
      : core(seed), disk(core, 0, [] { return std::int64_t{0}; }, [this] { ++deaths; }) {}
  void power_cycle() {
    disk.lose_power();
    disk.revive();
  }
  std::string read(const std::string& path) { return disk.read_file(path).value_or("<none>"); }
  std::unique_ptr<File> open(const std::string& path) {
    auto file = disk.open(path, OpenMode::kCreate);
    EXPECT_TRUE(file.has_value());
    return std::move(*file);
  }
  SimCore core;
  int deaths = 0;
  SimDisk disk;
};

TEST(SimDisk, a_kill_keeps_what_was_written_and_drops_handles_and_locks) {
  Machine machine(1);
  auto file = machine.open("/a");
  ASSERT_TRUE(file->write_at(0, as_bytes("never synced")).has_value());
  auto lock = machine.disk.lock("/.lock");
  machine.disk.kill();
  EXPECT_EQ(file->write_at(0, as_bytes("X")).error().kind, ErrorKind::kIo);
  EXPECT_EQ(machine.disk.stat("/a").error().kind, ErrorKind::kIo) << "a dead process reads nothing";
  machine.disk.revive();
  EXPECT_EQ(file->size().error().kind, ErrorKind::kIo) << "the handle stays dead";
  EXPECT_EQ(machine.read("/a"), "never synced");
  auto second = machine.disk.lock("/.lock");
  ASSERT_TRUE(second.has_value());
  lock->reset();  // the dead process' lock object goes late and must not release the new one
  EXPECT_EQ(machine.disk.lock("/.lock").error().kind, ErrorKind::kLocked);
}

TEST(SimDisk, synced_bytes_and_names_survive_a_power_loss) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Machine machine(seed);
    ASSERT_TRUE(machine.disk.create_directories("/d").has_value());
    auto file = machine.open("/d/a");
    std::string synced(3000, 's');
    ASSERT_TRUE(file->write_at(0, as_bytes(synced)).has_value());
    ASSERT_TRUE(file->sync().has_value());
    ASSERT_TRUE(machine.disk.sync_directory("/d").has_value());
    ASSERT_TRUE(machine.disk.sync_directory("/").has_value());
    ASSERT_TRUE(file->write_at(3000, as_bytes(std::string(5000, 'u'))).has_value());
    machine.power_cycle();
    std::string after = machine.read("/d/a");
    ASSERT_GE(after.size(), synced.size());
    EXPECT_EQ(after.substr(0, synced.size()), synced);
    EXPECT_EQ(after.find_first_not_of(std::string("u\0", 2), synced.size()), std::string::npos);
    machine.power_cycle();
    EXPECT_EQ(machine.read("/d/a"), after) << "what survived once is durable";
  }
}

TEST(SimDisk, unsynced_writes_survive_wholly_partly_or_not) {
  std::set<std::string> kinds;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Machine machine(seed);
    auto file = machine.open("/a");
    ASSERT_TRUE(file->write_at(0, as_bytes(std::string(4096, 'o'))).has_value());
    ASSERT_TRUE(file->sync().has_value());
    ASSERT_TRUE(machine.disk.sync_directory("/").has_value());
    ASSERT_TRUE(file->write_at(0, as_bytes(std::string(4096, 'n'))).has_value());
    machine.power_cycle();
    std::string after = machine.read("/a");
    ASSERT_EQ(after.size(), 4096u);
    std::size_t kept = 0;
    for (std::size_t sector = 0; sector < 8; ++sector) {
      std::string part = after.substr(sector * 512, 512);
      bool is_new = part == std::string(512, 'n');
      EXPECT_TRUE(is_new || part == std::string(512, 'o')) << "a sector is never torn";
      kept += is_new ? 1 : 0;
    }
    kinds.insert(kept == 0 ? "none" : kept == 8 ? "all" : "torn");
  }
  EXPECT_EQ(kinds, (std::set<std::string>{"none", "all", "torn"}));
}

TEST(SimDisk, unsynced_names_may_be_lost_and_renames_are_atomic) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Machine machine(seed);
    ASSERT_TRUE(machine.disk.write_file("/meta", "old").has_value());
    {
      auto file = machine.open("/meta.tmp");
      ASSERT_TRUE(file->write_at(0, as_bytes("new")).has_value());
      ASSERT_TRUE(file->sync().has_value());
    }
    ASSERT_TRUE(machine.disk.rename("/meta.tmp", "/meta").has_value());
    machine.power_cycle();
    seen.insert(machine.read("/meta"));
  }
  EXPECT_EQ(seen, (std::set<std::string>{"old", "new"})) << "either, but never none or a mixture";
}

TEST(SimDisk, write_file_is_durable_when_it_returns) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Machine machine(seed);
    ASSERT_TRUE(machine.disk.write_file("/meta", "first").has_value());
    ASSERT_TRUE(machine.disk.write_file("/meta", "second").has_value());
    machine.power_cycle();
    EXPECT_EQ(machine.read("/meta"), "second");
  }
}

TEST(SimDisk, a_shrunk_and_regrown_file_never_shows_old_bytes_after_sync) {
  Machine machine(3);
  auto file = machine.open("/a");
  ASSERT_TRUE(file->write_at(0, as_bytes(std::string(2000, 'o'))).has_value());
  ASSERT_TRUE(file->sync().has_value());
  ASSERT_TRUE(machine.disk.sync_directory("/").has_value());
  ASSERT_TRUE(file->truncate(100).has_value());
  ASSERT_TRUE(file->truncate(2000).has_value());
  ASSERT_TRUE(file->sync().has_value());
  machine.power_cycle();
  EXPECT_EQ(machine.read("/a"), std::string(100, 'o') + std::string(1900, '\0'));
}

TEST(SimDisk, a_failed_sync_drops_the_data_and_reports_once) {
  Machine machine(4);
  auto file = machine.open("/log");
  ASSERT_TRUE(file->write_at(0, as_bytes("good")).has_value());
  ASSERT_TRUE(file->sync().has_value());
  ASSERT_TRUE(file->write_at(4, as_bytes("lost")).has_value());
  machine.disk.fail_next_sync("log");
  EXPECT_EQ(file->sync().error().kind, ErrorKind::kIo);
  EXPECT_TRUE(file->sync().has_value()) << "the second one lies, as the kernel's does";
  EXPECT_EQ(machine.read("/log"), std::string("good\0\0\0\0", 8));
  EXPECT_EQ(machine.core.mark_count("disk.sync_failed"), 1u);
}

TEST(SimDisk, a_full_disk_takes_a_part_and_has_room_again) {
  Machine machine(5);
  machine.disk.faults().capacity = 1000;
  auto file = machine.open("/a");
  ASSERT_TRUE(file->write_at(0, as_bytes(std::string(900, 'a'))).has_value());
  EXPECT_EQ(file->write_at(900, as_bytes(std::string(200, 'b'))).error().kind, ErrorKind::kNoSpace);
  EXPECT_EQ(file->size().value(), 1000u) << "a part landed";
  ASSERT_TRUE(file->truncate(900).has_value());
  EXPECT_TRUE(file->write_at(0, as_bytes("overwriting needs no room")).has_value());
  auto other = machine.open("/b");
  ASSERT_TRUE(other->write_at(0, as_bytes(std::string(100, 'c'))).has_value());
  ASSERT_TRUE(machine.disk.remove_file("/a").has_value());
  EXPECT_EQ(other->write_at(100, as_bytes("x")).error().kind, ErrorKind::kNoSpace) << "/a is still open";
  file.reset();
  EXPECT_TRUE(other->write_at(100, as_bytes(std::string(900, 'd'))).has_value());
  EXPECT_EQ(machine.disk.used(), 1000u);
}

TEST(SimDisk, the_nth_call_kills_the_process_without_effect) {
  Machine machine(6);
  auto file = machine.open("/a");
  ASSERT_TRUE(file->write_at(0, as_bytes("kept")).has_value());
  machine.disk.crash_at_call(machine.disk.calls() + 1);
  EXPECT_EQ(file->write_at(0, as_bytes("LOST")).error().kind, ErrorKind::kIo);
  EXPECT_EQ(machine.deaths, 1);
  EXPECT_EQ(file->sync().error().kind, ErrorKind::kIo);
  machine.disk.kill();
  machine.disk.revive();
  EXPECT_EQ(machine.read("/a"), "kept");
}

TEST(SimDisk, rot_flips_one_bit_for_good) {
  Machine machine(7);
  ASSERT_TRUE(machine.disk.write_file("/a", std::string(100, 'a')).has_value());
  EXPECT_FALSE(machine.disk.rot("/none"));
  ASSERT_TRUE(machine.disk.rot("/a"));
  std::string rotten = machine.read("/a");
  int bits = 0;
  for (char c : rotten) bits += __builtin_popcount(static_cast<unsigned char>(c ^ 'a'));
  EXPECT_EQ(bits, 1);
  machine.power_cycle();
  EXPECT_EQ(machine.read("/a"), rotten);
}

TEST(SimDisk, odds_of_errors) {
  Machine machine(8);
  ASSERT_TRUE(machine.disk.write_file("/a", "content").has_value());
  auto file = machine.open("/a");
  std::uint8_t buffer[8];
  machine.disk.faults().read_error_one_in = 2;
  machine.disk.faults().write_error_one_in = 2;
  machine.disk.faults().cold_read_one_in = 2;
  int read_errors = 0;
  int write_errors = 0;
  int cold = 0;
  for (int i = 0; i < 200; ++i) {
    read_errors += file->read_at(0, buffer).failed() ? 1 : 0;
    write_errors += file->write_at(0, as_bytes("content")).failed() ? 1 : 0;
    auto cached = file->read_cached(0, buffer);
    cold += cached.failed() && cached.error().kind == ErrorKind::kWouldBlock ? 1 : 0;
  }
  for (int count : {read_errors, write_errors, cold}) {
    EXPECT_GT(count, 50);
    EXPECT_LT(count, 150);
  }
}

}  // namespace
}  // namespace milena::io
