/// Clients: what the actors of one run share on the client node: the history, the way to the broker, the gate
/// that keeps them still while the nemesis reads everything back, and their end.
#pragma once

#include <memory>
#include <string>

#include "base/random.h"
#include "broker_program.h"
#include "client/connection.h"
#include "history.h"
#include "io/signal.h"
#include "wire/messages/produce_request.h"
#include "wire/messages/produce_response.h"

namespace milena::sim {

using client::CallOptions;
using client::ClientResult;
using ConnectionPtr = std::shared_ptr<client::Connection>;

struct Clients {
  Clients(io::Loop& own_loop, History& own_history, Random own_random)
      : loop(own_loop), history(own_history), random(own_random), changed(own_loop) {}

  io::Loop& loop;
  History& history;
  Random random;
  io::Signal changed;
  bool open = true;       // actors may send requests; closed during a read-back
  bool stopping = false;  // actors send nothing new and end
  int running = 0;        // actors
  int lives = 0;          // of the broker: what was sent to an earlier one does not arrive any more
  int losses = 0;         // of them that came back with less than the one before may have written
  std::string trouble;    // why the last read-back request gave nothing
  int pace = 1;           // by how much actors rest longer between requests

  void set_open(bool now_open) {
    open = now_open;
    changed.notify_all();
  }
  void stop() {
    stopping = true;
    changed.notify_all();
  }
};

/// Waits for the gate. Nothing is awaited between its end and what follows.
io::Task<void> pass_gate(Clients* clients);
/// A connection, after as many attempts as it takes.
io::Task<ConnectionPtr> connect(Clients* clients, std::string client_id);
/// Sleeps up to `limit`, at random.
io::Task<void> pause_up_to(Clients* clients, Duration limit);

/// One batch to one partition. Of the topic the name is enough below version 13.
wire::ProduceRequest produce_request(std::int16_t acks, const SimTopic& topic, std::int32_t partition,
                                     Bytes batch);
/// Adds one more.
void add_batch(wire::ProduceRequest& request, const SimTopic& topic, std::int32_t partition, Bytes batch);
/// What became of the batch to that partition; null: the answer does not name it.
const wire::ProduceResponse::PartitionProduceResponse* find_partition(const wire::ProduceResponse& response,
                                                                      const SimTopic& topic,
                                                                      std::int32_t partition);
/// What became of a request's only batch.
const wire::ProduceResponse::PartitionProduceResponse& produced(const wire::ProduceResponse& response);

/// Any version of the API from `low` to `high`, drawn at random; less where the broker does not know it.
/// Topics are sent by name and by id, and the version decides.
CallOptions random_version(Clients& clients, std::int16_t low, std::int16_t high);

}  // namespace milena::sim
