// The contract of Disk and File, the same in every world.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "io/contract_world.h"

namespace milena::io {
namespace {

class DiskContract : public ::testing::Test {
 protected:
  // Runs a plain function where disk calls are made: on a loop.
  void on_loop(std::function<void(Disk&, const std::string&)> body) {
    std::string folder = world_->scratch();
    EXPECT_TRUE(world_->run([&body, folder](Runtime* runtime) { return call(runtime, &body, folder); }));
  }
  static Task<void> call(Runtime* runtime, std::function<void(Disk&, const std::string&)>* body,
                         std::string folder) {
    (*body)(runtime->control_loop().disk(), folder);
    co_return;
  }

  std::unique_ptr<ContractWorld> world_ = make_contract_world();
};

std::string content(File& file) {
  std::string text(file.size().value(), '\0');
  auto got = file.read_at(0, {reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  EXPECT_EQ(got.value(), text.size());
  return text;
}

TEST_F(DiskContract, a_file_is_written_and_read_at_offsets) {
  on_loop([](Disk& disk, const std::string& folder) {
    auto file = disk.open(folder + "/a", OpenMode::kCreate);
    ASSERT_TRUE(file.has_value());
    std::vector<ByteView> pieces{as_bytes("hello"), ByteView(), as_bytes(", "), as_bytes("world")};
    ASSERT_TRUE((*file)->write_at(0, pieces).has_value());
    EXPECT_EQ(content(**file), "hello, world");
    ASSERT_TRUE((*file)->write_at(14, as_bytes("!")).has_value());
    EXPECT_EQ(content(**file), std::string("hello, world\0\0!", 15)) << "a hole reads as zeros";
    ASSERT_TRUE((*file)->truncate(5).has_value());
    EXPECT_EQ(content(**file), "hello");
    ASSERT_TRUE((*file)->truncate(7).has_value());
    EXPECT_EQ(content(**file), std::string("hello\0\0", 7));
    std::uint8_t buffer[16];
    EXPECT_EQ((*file)->read_at(3, buffer).value(), 4u) << "short at the end";
    EXPECT_EQ((*file)->read_at(7, buffer).value(), 0u);
    EXPECT_EQ((*file)->read_at(100, buffer).value(), 0u);
    EXPECT_EQ((*file)->read_exactly(3, buffer).error().kind, ErrorKind::kIo);
    auto cached = (*file)->read_cached(0, buffer);
    EXPECT_TRUE(cached.has_value() ? *cached == 7 : cached.error().kind == ErrorKind::kWouldBlock);
    EXPECT_TRUE((*file)->sync().has_value());
  });
}

TEST_F(DiskContract, many_pieces_are_written_in_one_call) {
  on_loop([](Disk& disk, const std::string& folder) {
    std::vector<std::string> texts;
    std::string all;
    for (int i = 0; i < 3000; ++i) {
      texts.push_back(std::to_string(i) + ",");
      all += texts.back();
    }
    std::vector<ByteView> pieces;
    for (auto& text : texts) pieces.push_back(as_bytes(text));
    auto file = disk.open(folder + "/many", OpenMode::kCreateNew);
    ASSERT_TRUE((*file)->write_at(0, pieces).has_value());
    EXPECT_EQ(content(**file), all);
  });
}

TEST_F(DiskContract, open_modes_and_missing_names) {
  on_loop([](Disk& disk, const std::string& folder) {
    EXPECT_EQ(disk.open(folder + "/none", OpenMode::kRead).error().kind, ErrorKind::kNotFound);
    EXPECT_EQ(disk.open(folder + "/none", OpenMode::kWrite).error().kind, ErrorKind::kNotFound);
    EXPECT_EQ(disk.open(folder + "/no/where", OpenMode::kCreate).error().kind, ErrorKind::kNotFound);
    EXPECT_EQ(disk.stat(folder + "/none").error().kind, ErrorKind::kNotFound);
    EXPECT_EQ(disk.list(folder + "/none").error().kind, ErrorKind::kNotFound);
    EXPECT_EQ(disk.remove_file(folder + "/none").error().kind, ErrorKind::kNotFound);
    EXPECT_EQ(disk.rename(folder + "/none", folder + "/other").error().kind, ErrorKind::kNotFound);
    ASSERT_TRUE(disk.open(folder + "/x", OpenMode::kCreateNew).has_value());
    EXPECT_EQ(disk.open(folder + "/x", OpenMode::kCreateNew).error().kind, ErrorKind::kExists);
    EXPECT_TRUE(disk.open(folder + "/x", OpenMode::kCreate).has_value());
    EXPECT_EQ(disk.open(folder, OpenMode::kRead).error().kind, ErrorKind::kInvalid);
    EXPECT_TRUE(disk.remove_tree(folder + "/none").has_value());
  });
}

TEST_F(DiskContract, directories) {
  on_loop([](Disk& disk, const std::string& folder) {
    ASSERT_TRUE(disk.create_directories(folder + "/b/c").has_value());
    ASSERT_TRUE(disk.create_directories(folder + "/b/c").has_value());
    for (const char* name : {"/b/z", "/b/a", "/b/m"}) {
      ASSERT_TRUE(disk.open(folder + name, OpenMode::kCreate).has_value());
    }
    auto entries = disk.list(folder + "/b");
    std::vector<std::string> names;
    for (auto& entry : *entries) names.push_back(entry.name + (entry.is_directory ? "/" : ""));
    EXPECT_THAT(names, ::testing::ElementsAre("a", "c/", "m", "z"));
    EXPECT_EQ(disk.remove_directory(folder + "/b").error().kind, ErrorKind::kExists);
    EXPECT_TRUE(disk.stat(folder + "/b")->is_directory);
    ASSERT_TRUE(disk.rename(folder + "/b", folder + "/d").has_value());
    EXPECT_FALSE(disk.exists(folder + "/b/a"));
    EXPECT_TRUE(disk.exists(folder + "/d/a"));
    EXPECT_TRUE(disk.exists(folder + "/d/c"));
    EXPECT_TRUE(disk.sync_directory(folder + "/d").has_value());
    ASSERT_TRUE(disk.remove_tree(folder + "/d").has_value());
    EXPECT_FALSE(disk.exists(folder + "/d"));
    EXPECT_TRUE(disk.list(folder)->empty());
  });
}

TEST_F(DiskContract, rename_replaces_and_open_files_live_on) {
  on_loop([](Disk& disk, const std::string& folder) {
    ASSERT_TRUE(disk.write_file(folder + "/old", "old content").has_value());
    ASSERT_TRUE(disk.write_file(folder + "/new", "new").has_value());
    auto held = disk.open(folder + "/new", OpenMode::kRead);
    ASSERT_TRUE(disk.rename(folder + "/old", folder + "/new").has_value());
    EXPECT_FALSE(disk.exists(folder + "/old"));
    EXPECT_EQ(disk.read_file(folder + "/new").value(), "old content");
    EXPECT_EQ(content(**held), "new") << "the replaced file lives while it is open";
    EXPECT_EQ(disk.read_file(folder + "/new", 5).error().kind, ErrorKind::kInvalid);
    auto removed = disk.open(folder + "/new", OpenMode::kWrite);
    ASSERT_TRUE(disk.remove_file(folder + "/new").has_value());
    ASSERT_TRUE((*removed)->write_at(0, as_bytes("OLD")).has_value());
    EXPECT_EQ(content(**removed), "OLD content");
    ASSERT_TRUE(disk.write_file(folder + "/new", "").has_value());
    EXPECT_EQ(disk.stat(folder + "/new")->size, 0u);
  });
}

TEST_F(DiskContract, space_is_that_of_the_file_system) {
  on_loop([](Disk& disk, const std::string& folder) {
    auto space = disk.space(folder);
    ASSERT_TRUE(space.has_value()) << space.error().what;
    EXPECT_GT(space->total, 0u);
    EXPECT_LE(space->usable, space->total);
    ASSERT_TRUE(disk.write_file(folder + "/file", "x").has_value());
    EXPECT_EQ(disk.space(folder + "/file")->total, space->total);
    EXPECT_EQ(disk.space(folder + "/none").error().kind, ErrorKind::kNotFound);
  });
}

TEST_F(DiskContract, a_whole_file_system_is_synced_and_known_again) {
  on_loop([](Disk& disk, const std::string& folder) {
    ASSERT_TRUE(disk.write_unsynced(folder + "/file", "x").has_value());
    EXPECT_TRUE(disk.sync_all(folder).has_value());
    EXPECT_EQ(disk.sync_all(folder + "/none").error().kind, ErrorKind::kNotFound);
    auto identity = disk.identity(folder);
    ASSERT_TRUE(identity.has_value()) << identity.error().what;
    EXPECT_FALSE(identity->boot.empty());
    EXPECT_EQ(*disk.identity(folder + "/file"), *identity);
  });
}

TEST_F(DiskContract, absolute_paths_stay_and_relative_ones_are_completed) {
  on_loop([](Disk& disk, const std::string& folder) {
    std::string whole = disk.absolute(folder).value();
    EXPECT_TRUE(whole.starts_with("/"));
    EXPECT_EQ(disk.absolute(whole).value(), whole);
    std::string completed = disk.absolute("some/where").value();
    EXPECT_TRUE(completed.starts_with("/"));
    EXPECT_TRUE(completed.ends_with("/some/where"));
    EXPECT_EQ(disk.absolute("/some/where").value(), "/some/where");
  });
}

TEST_F(DiskContract, a_lock_is_exclusive_until_released) {
  on_loop([](Disk& disk, const std::string& folder) {
    auto first = disk.lock(folder + "/.lock");
    ASSERT_TRUE(first.has_value());
    EXPECT_TRUE(disk.exists(folder + "/.lock"));
    EXPECT_EQ(disk.lock(folder + "/.lock").error().kind, ErrorKind::kLocked);
    EXPECT_EQ(disk.lock(folder + "/.lock").error().kind, ErrorKind::kLocked) << "asking does not release it";
    first->reset();
    EXPECT_TRUE(disk.lock(folder + "/.lock").has_value());
  });
}

}  // namespace
}  // namespace milena::io
