#include "broker/no_transactions.h"

namespace milena::broker {

wire::ErrorCode transactions_refused(const ClientInfo& client) {
  // librdkafka names itself or the binding around it ("confluent-kafka-python"), with "rdkafka" in the version then.
  bool librdkafka = client.software_name.find("rdkafka") != std::string::npos ||
                    client.software_version.find("rdkafka") != std::string::npos ||
                    client.software_name.starts_with("confluent-kafka");
  return librdkafka ? wire::ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED : wire::ErrorCode::UNSUPPORTED_VERSION;
}

}  // namespace milena::broker
