#include "wire/frame.h"

#include <gtest/gtest.h>

#include "wire/reader.h"
#include "wire/writer.h"

namespace milena::wire {
namespace {

Bytes header_bytes(std::int16_t key, std::int16_t version, std::int16_t header_version) {
  RequestHeader header{.request_api_key = key, .request_api_version = version, .correlation_id = 7};
  header.client_id = "me";
  Writer writer;
  header.encode(writer, header_version);
  writer.write_int8(99);  // the body
  return writer.to_bytes();
}

TEST(Frame, HeaderVersionFollowsFromApiAndVersion) {
  struct Case {
    std::int16_t key, version, header_version;
  };
  // Produce 8 and 9, SaslHandshake 1 (never flexible), ApiVersions of a version from the future.
  for (Case c : {Case{0, 8, 1}, Case{0, 9, 2}, Case{17, 1, 1}, Case{18, 99, 2}}) {
    Reader reader(header_bytes(c.key, c.version, c.header_version));
    auto header = read_request_header(reader);
    ASSERT_TRUE(header.has_value());
    EXPECT_EQ(header->request_api_version, c.version);
    EXPECT_EQ(header->correlation_id, 7);
    EXPECT_EQ(header->client_id, "me");
    EXPECT_EQ(reader.read_int8(), 99);
    EXPECT_TRUE(reader.finished());
  }
}

TEST(Frame, RefusesUnknownApisAndCutHeaders) {
  Reader removed(header_bytes(4, 0, 1));
  EXPECT_EQ(read_request_header(removed).error(), HeaderError::kUnknownApi);
  Reader negative(header_bytes(-1, 0, 1));
  EXPECT_EQ(read_request_header(negative).error(), HeaderError::kUnknownApi);
  Bytes whole = header_bytes(0, 9, 2);
  for (std::size_t size = 0; size + 1 < whole.size(); ++size) {
    Reader reader(whole.slice(0, size));
    EXPECT_EQ(read_request_header(reader).error(), HeaderError::kMalformed);
  }
}

TEST(Frame, AdvertisedVersions) {
  EXPECT_EQ(advertised_min_version(*find_api(0)), 0);
  EXPECT_EQ(advertised_min_version(*find_api(1)), 4);
}

TEST(Frame, UnsupportedApiVersionsIsAnsweredInVersionZero) {
  Writer writer;
  unsupported_api_versions_response().encode(writer, kUnsupportedApiVersionsResponseVersion);
  EXPECT_EQ(to_hex(writer.to_bytes()), "0023" "00000001" "0012" "0000" "0004");
}

}  // namespace
}  // namespace milena::wire
