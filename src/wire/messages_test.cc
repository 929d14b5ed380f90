#include <gtest/gtest.h>

#include <string>

#include "wire/api_table.h"
#include "wire/apis/api_versions.h"
#include "wire/apis/fetch.h"
#include "wire/apis/produce.h"
#include "wire/apis/sasl_handshake.h"
#include "wire/messages/metadata_request.h"
#include "wire/messages/partition_record.h"
#include "wire/messages/request_header.h"
#include "wire/reader.h"
#include "wire/record_table.h"
#include "wire/writer.h"

namespace milena::wire {
namespace {

template <class Message>
Bytes encoded(const Message& message, std::int16_t version) {
  Writer writer;
  message.encode(writer, version);
  EXPECT_TRUE(writer.ok());
  return writer.to_bytes();
}

FetchResponse some_fetch_response() {
  FetchResponse response{.throttle_time_ms = 3, .session_id = 9};
  FetchResponse::PartitionData partition{.partition_index = 1, .high_watermark = 100};
  partition.current_leader = {.leader_id = 4, .leader_epoch = 5};
  partition.aborted_transactions.emplace().push_back({.producer_id = 7, .first_offset = 8});
  partition.records = Bytes::copy(std::string(2000, 'r'));
  response.responses.push_back({.topic_id = Uuid{1, 2}, .partitions = {partition, partition}});
  return response;
}

TEST(Messages, RoundTrip) {
  FetchResponse response = some_fetch_response();
  Bytes bytes = encoded(response, 16);
  Reader reader(bytes);
  FetchResponse decoded;
  EXPECT_TRUE(decoded.decode(reader, 16));
  EXPECT_TRUE(reader.finished());
  EXPECT_EQ(decoded, response);
  // The records are a slice of the input.
  const Bytes& records = *decoded.responses[0].partitions[0].records;
  EXPECT_EQ(records.slab(), bytes.slab());
}

TEST(Messages, RecordsAreNotCopiedOnTheWayOut) {
  FetchResponse response = some_fetch_response();
  const std::uint8_t* records = response.responses[0].partitions[0].records->data();
  Writer writer;
  response.encode(writer, 16);
  bool found = false;
  for (const Bytes& piece : writer.finish()) found = found || piece.data() == records;
  EXPECT_TRUE(found);
}

TEST(Messages, InputCutAtEachByteIsRefused) {
  for (std::int16_t version : {4, 11, 12, 16, 18}) {
    Bytes bytes = encoded(some_fetch_response(), version);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      Reader reader(bytes.slice(0, size));
      EXPECT_FALSE(FetchResponse().decode(reader, version)) << "version " << version << ", " << size;
    }
  }
}

TEST(Messages, HostileCountsAreRefused) {
  // ProduceRequest v9: null transactional id, acks, timeout, then 2^31 topics.
  Bytes bytes = Bytes::copy(std::string("\0\0\1\0\0\0\1\xff\xff\xff\xff\x07\0\0\0\0", 16));
  Reader reader(bytes);
  ProduceRequest request;
  EXPECT_FALSE(request.decode(reader, 9));
  EXPECT_EQ(request.topic_data.capacity(), 0U);
}

TEST(Messages, UnknownTagsAreSkippedInRequestsAndKeptInRecords) {
  Bytes header = encoded(RequestHeader{.request_api_key = 1, .client_id = "c"}, 2);
  std::string text(header.text());
  text.back() = 1;                   // one tagged field
  text += std::string("\x05\x01z", 3);  // tag 5, one byte
  Reader reader(Bytes::copy(text));
  RequestHeader decoded;
  EXPECT_TRUE(decoded.decode(reader, 2));
  EXPECT_TRUE(reader.finished());
  EXPECT_EQ(encoded(decoded, 2), header);

  PartitionRecord record{.partition_id = 3, .leader = 1};
  record.directories = {Uuid{5, 6}};
  record.eligible_leader_replicas.emplace().push_back(9);
  record.unknown_tagged_fields.push_back({100, Bytes::copy("new")});
  Reader record_reader(encoded(record, 2));
  PartitionRecord record_decoded;
  EXPECT_TRUE(record_decoded.decode(record_reader, 2));
  EXPECT_EQ(record_decoded, record);
}

TEST(Messages, NullWhereTheVersionHasNoneFailsTheWriter) {
  MetadataRequest all_topics{.topics = std::nullopt};
  Writer with_null;
  all_topics.encode(with_null, 1);
  EXPECT_TRUE(with_null.ok());
  Writer without_null;
  all_topics.encode(without_null, 0);
  EXPECT_FALSE(without_null.ok());
}

TEST(Apis, TableMatchesTheApiTypes) {
  EXPECT_EQ(kApis.size(), 89U);
  EXPECT_EQ(kApis[0].name, ProduceApi::name);
  EXPECT_EQ(kApis[0].max_version, ProduceApi::max_version);
  EXPECT_EQ(ProduceApi::request_header_version(8), 1);
  EXPECT_EQ(ProduceApi::request_header_version(9), 2);
  EXPECT_EQ(ProduceApi::response_header_version(9), 1);
  EXPECT_EQ(ApiVersionsApi::response_header_version(4), 0);
  EXPECT_EQ(SaslHandshakeApi::request_header_version(1), 1);
  for (const ApiInfo& api : kApis) {
    EXPECT_TRUE(api.broker || api.controller) << api.name;
    EXPECT_LE(api.min_version, api.max_version) << api.name;
    EXPECT_EQ(api.latest_unstable, api.name == "InitProducerId");
    if (api.key == ApiVersionsApi::key) {
      EXPECT_EQ(api.response_header_version(4), 0);
    }
  }
}

TEST(Records, TableHoldsAllNumberedRecords) {
  std::size_t metadata = 0;
  for (const RecordInfo& record : kRecords) metadata += record.family == "metadata";
  EXPECT_EQ(metadata, 26U);
  EXPECT_EQ(kRecords.size(), 80U);
}

}  // namespace
}  // namespace milena::wire
