/// How transactional producers are refused until there is a transaction coordinator: at once and for good.
#pragma once

#include <string>

#include "broker/request_context.h"
#include "wire/error_code.h"

namespace milena::broker {

inline constexpr const char* kNoTransactions = "this server does not support transactions yet; use an idempotent "
                                               "producer (enable.idempotence) without a transactional.id";

/// The error that the client's library takes for fatal. Kafka's Java client and others give up on
/// UNSUPPORTED_VERSION and show the message; librdkafka retries every error but the authorization ones for as long
/// as the application lets it, so it gets TRANSACTIONAL_ID_AUTHORIZATION_FAILED.
/// Source: rd_kafka_txn_handle_FindCoordinator, rd_kafka_idemp_check_error; TransactionManager in kafka-clients.
wire::ErrorCode transactions_refused(const ClientInfo& client);

}  // namespace milena::broker
