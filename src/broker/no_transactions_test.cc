#include "broker/no_transactions.h"

#include <gtest/gtest.h>

namespace milena::broker {
namespace {

wire::ErrorCode refused(std::string name, std::string version) {
  ClientInfo client;
  client.software_name = std::move(name);
  client.software_version = std::move(version);
  return transactions_refused(client);
}

TEST(NoTransactions, the_error_is_one_that_the_library_takes_for_final) {
  using wire::ErrorCode;
  EXPECT_EQ(refused("apache-kafka-java", "4.3.1"), ErrorCode::UNSUPPORTED_VERSION);
  EXPECT_EQ(refused("", ""), ErrorCode::UNSUPPORTED_VERSION);
  EXPECT_EQ(refused("librdkafka", "2.0.2"), ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
  EXPECT_EQ(refused("confluent-kafka-python", "2.11.0-rdkafka-2.11.0"),
            ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
}

}  // namespace
}  // namespace milena::broker
