// What is kept of the ends of logs: pieces of the blocks they came in, under a budget of whole blocks.
#include "replica/tail_cache.h"

#include <gmock/gmock.h>

#include <string>

#include "replica/testing/replica_world.h"

namespace milena::replica {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

Bytes block(std::size_t size, char fill) { return Bytes::copy(std::string(size, fill)); }

class Tails : public ::testing::Test {
 protected:
  std::unique_ptr<TailCache::Tail> followed() {
    auto tail = std::make_unique<TailCache::Tail>(cache_);
    tail->follow();
    return tail;
  }
  // Appends behind what this tail was given before; each byte counts as an offset.
  void add(TailCache::Tail& tail, Bytes records) {
    std::int64_t& at = ends_[&tail];
    Offset first(at);
    at += static_cast<std::int64_t>(records.size());
    tail.add(first, Offset(at), std::move(records));
  }
  static std::vector<Bytes> read(TailCache::Tail& tail, std::int64_t from, std::size_t max_bytes,
                                 std::int64_t bound = INT64_MAX) {
    Records records;
    std::vector<Bytes> pieces;
    if (tail.read(Offset(from), Offset(bound), max_bytes, false, records)) records.take_pieces(pieces);
    return pieces;
  }
  static std::string text(const std::vector<Bytes>& pieces) {
    std::string all;
    for (const Bytes& piece : pieces) all += piece.text();
    return all;
  }

  std::shared_ptr<TailCache> cache_ = std::make_shared<TailCache>(1 << 20);
  std::map<const void*, std::int64_t> ends_;
};

TEST_F(Tails, give_back_slices_of_the_blocks_that_came) {
  auto tail = followed();
  Bytes first = block(10000, 'a');
  add(*tail, first);
  add(*tail, block(10000, 'b'));
  std::vector<Bytes> pieces = read(*tail, 0, 20000);
  ASSERT_THAT(pieces, SizeIs(2));
  EXPECT_EQ(pieces[0].data(), first.data()) << "no copy";
  EXPECT_EQ(text(read(*tail, 9999, 10002)), std::string(10000, 'a') + "bb") << "from the batch's start, cut at the limit";
  EXPECT_EQ(text(read(*tail, 15000, 20000)), std::string(10000, 'b'));
  EXPECT_EQ(text(read(*tail, 0, 20000, 19999)), std::string(10000, 'a')) << "not past the bound";
  EXPECT_THAT(read(*tail, 0, 20000, 9999), IsEmpty());
  EXPECT_THAT(read(*tail, 0, 9999), IsEmpty()) << "a first batch comes whole or not at all";
  EXPECT_THAT(read(*tail, 20000, 100), IsEmpty());
  Records records;
  EXPECT_TRUE(tail->read(Offset(0), Offset(20000), 1, true, records));
  EXPECT_EQ(records.size(), 10000u);
}

TEST_F(Tails, keep_nothing_that_nobody_follows) {
  TailCache::Tail tail(cache_);
  add(tail, block(1000, 'a'));
  EXPECT_EQ(cache_->charged(), 0u);
  tail.follow();
  add(tail, block(1000, 'b'));
  EXPECT_THAT(read(tail, 0, 1000), IsEmpty());
  EXPECT_EQ(text(read(tail, 1000, 1000)), std::string(1000, 'b'));
}

TEST_F(Tails, throw_out_the_oldest_past_the_budget_and_stop_where_nobody_read) {
  auto unread = followed();
  auto readers = followed();
  add(*unread, block(300 << 10, 'u'));
  for (int i = 0; i < 8; ++i) {
    add(*readers, block(200 << 10, static_cast<char>('a' + i)));
    EXPECT_FALSE(read(*readers, ends_[readers.get()] - 10, 1 << 20).empty());
    EXPECT_LE(cache_->charged(), 1u << 20);
  }
  EXPECT_FALSE(unread->followed());
  EXPECT_TRUE(readers->followed());
  EXPECT_THAT(read(*readers, 0, 1 << 20), IsEmpty());
  EXPECT_EQ(text(read(*readers, 7 * (200 << 10), 1 << 20)), std::string(200 << 10, 'h'));
  add(*unread, block(1000, 'u'));
  EXPECT_THAT(read(*unread, 300 << 10, 1000), IsEmpty());
}

TEST_F(Tails, charge_blocks_and_copy_small_slices_of_them) {
  auto tail = followed();
  Bytes big = block(600 << 10, 'x');
  add(*tail, big.slice(0, 300 << 10));
  std::size_t one = cache_->charged();
  EXPECT_GE(one, 600u << 10) << "the block, not the slice";
  add(*tail, big.slice(300 << 10, 300 << 10));
  EXPECT_LT(cache_->charged(), one + 1000) << "it is charged once";
  Bytes small = big.slice(0, 200);
  add(*tail, small);
  std::size_t with_small = cache_->charged();
  EXPECT_LT(with_small, one + (70 << 10));
  for (int i = 0; i < 100; ++i) add(*tail, small);
  EXPECT_LT(cache_->charged(), with_small + 100 * 200) << "small ones share a block";
  EXPECT_NE(read(*tail, 600 << 10, 200).at(0).data(), small.data());
  EXPECT_EQ(text(read(*tail, 600 << 10, 1 << 20)), std::string(20200, 'x'));
  tail->clear();
  EXPECT_EQ(cache_->charged(), 0u);
}

TEST_F(Tails, let_go_of_what_is_gone_from_the_log) {
  auto tail = followed();
  add(*tail, block(1000, 'a'));
  add(*tail, block(1000, 'b'));
  tail->drop_below(Offset(1999));
  EXPECT_THAT(read(*tail, 0, 1000), IsEmpty());
  EXPECT_EQ(text(read(*tail, 1000, 1000)), std::string(1000, 'b'));
  EXPECT_EQ(tail->end(), Offset(2000));
  tail->add(Offset(2500), Offset(3500), block(1000, 'd'));
  EXPECT_THAT(read(*tail, 1000, 1000), IsEmpty()) << "before a gap";
  EXPECT_EQ(text(read(*tail, 2600, 1000)), std::string(1000, 'd'));
  auto other = followed();
  add(*other, block(1000, 'o'));
  tail.reset();
  EXPECT_EQ(text(read(*other, 0, 1000)), std::string(1000, 'o'));
}

// A partition whose end is read from memory: the disk would say otherwise.
class TailReads : public ::testing::Test {
 protected:
  void SetUp() override {
    partition_ = make_partition(world_, world_.loop(), {kTopic, PartitionId(0)}, "t");
    world_.call([&] {
      partition_->use_cache(cache_);
      partition_->lead(Epoch(1));
    });
    read(0);
  }
  void append(std::size_t value_size = 2000) {
    AppendOptions options;
    Bytes records = make_records(1, world_.wall_now(), value_size);
    Appended appended = world_.run(Partition::append(partition_, std::move(records), options, &scratch_));
    ASSERT_EQ(appended.error, wire::ErrorCode::NONE);
  }
  ReadResult read(std::int64_t offset, Records::Form form = Records::Form::kPieces) {
    ReadRequest request;
    request.id = partition_->id();
    request.fetch_offset = Offset(offset);
    request.max_bytes = form == Records::Form::kPiecesOrFile ? 5 << 20 : 1 << 20;
    request.form = form;
    return world_.run(Partition::read(partition_, request));
  }
  // Whether a read of these comes from memory: without a call of the disk.
  bool held(std::int64_t offset) {
    (void)read(offset);  // what an append left to be done is done meanwhile
    std::uint64_t before = world_.disk().calls();
    ReadResult result = read(offset);
    return result.error == wire::ErrorCode::NONE && !result.records.empty() && world_.disk().calls() == before;
  }

  ReplicaWorld world_;
  wire::CompressionScratch scratch_;
  std::shared_ptr<TailCache> cache_ = std::make_shared<TailCache>(1 << 20);
  std::shared_ptr<Partition> partition_;
};

TEST_F(TailReads, come_from_memory_with_the_bytes_of_the_file) {
  for (int i = 0; i < 5; ++i) append();
  EXPECT_TRUE(held(0));
  EXPECT_TRUE(held(3));
  for (int offset : {0, 2, 4}) {
    std::vector<Bytes> pieces;
    ReadResult tail = read(offset);
    tail.records.take_pieces(pieces);
    std::string all;
    for (const Bytes& piece : pieces) all += piece.text();
    EXPECT_EQ(all, read(offset, Records::Form::kBlock).records.block().text());
  }
}

TEST_F(TailReads, stop_with_the_budget_and_go_to_the_file) {
  for (int i = 0; i < 60; ++i) {
    append(100'000);
    EXPECT_TRUE(held(i));
    EXPECT_LE(cache_->charged(), 1u << 20);
  }
  EXPECT_FALSE(held(0));
  ReadResult old = read(0);
  EXPECT_GT(old.records.size(), 100'000u);
  EXPECT_TRUE(old.records.is_block());
  ReadResult file = read(0, Records::Form::kPiecesOrFile);
  EXPECT_TRUE(file.records.in_file()) << "much, and in the page cache";
  EXPECT_EQ(file.records.size(), 5u << 20);
  std::size_t before = cache_->charged();
  std::vector<ReadResult> slow;  // readers that have not taken what they were given
  for (int i = 55; i < 60; ++i) slow.push_back(read(i));
  for (int i = 60; i < 100; ++i) {
    append(100'000);
    EXPECT_TRUE(held(i));
  }
  EXPECT_LE(cache_->charged(), before + 110'000) << "what they hold is not the cache's any more";
  std::vector<Bytes> pieces;
  slow[0].records.take_pieces(pieces);
  EXPECT_EQ(pieces.at(0).text().substr(0, 100'000),
            read(55, Records::Form::kBlock).records.block().text().substr(0, 100'000));
}

TEST_F(TailReads, end_with_the_log_they_are_of) {
  append();
  append();
  EXPECT_TRUE(held(1));
  world_.call([&] { ASSERT_TRUE(partition_->log().truncate_to(Offset(1), world_.wall_now()).has_value()); });
  append(3000);
  ReadResult again = read(1);
  EXPECT_GT(again.records.size(), 3000u) << "not what was cut";
  EXPECT_FALSE(held(0));
  append();
  world_.call([&] { partition_->delete_records(Offset(2)); });
  EXPECT_EQ(read(1).error, wire::ErrorCode::OFFSET_OUT_OF_RANGE);
  EXPECT_TRUE(held(2));
  world_.call([&] { partition_->retire(); });
  EXPECT_EQ(cache_->charged(), 0u);
}

TEST_F(TailReads, are_not_of_a_log_that_another_one_replaced) {
  append();
  EXPECT_TRUE(held(0));
  world_.call([&] {
    log::OpenLog how;
    how.path = "/data/copy";
    how.now = world_.wall_now();
    ASSERT_TRUE(world_.disk().create_directories(how.path).has_value());
    auto copy = log::Log::open(world_.disk(), how);
    ASSERT_TRUE(copy.has_value());
    auto bytes = make_records(1, world_.wall_now(), 10);
    ASSERT_TRUE((*copy)->append_as_leader(std::move(bytes), Epoch(1), world_.wall_now()).has_value());
    partition_->set_gate(Partition::Gate::kShut);
    partition_->replace_log(std::move(*copy));
    partition_->set_gate(Partition::Gate::kOpen);
  });
  EXPECT_EQ(cache_->charged(), 0u);
  EXPECT_LT(read(0).records.size(), 1000u);
}

}  // namespace
}  // namespace milena::replica
