// Drives kafkajs as the scenarios ask: node driver.js BOOTSTRAP. See ../README.md.
'use strict'

const readline = require('readline')
const zlib = require('zlib')
const { Kafka, CompressionTypes, CompressionCodecs, ConfigResourceTypes, PartitionAssigners, logLevel } = require('kafkajs')
const SnappyCodec = require('kafkajs-snappy')
const lz4 = require('lz4js')
const { hash: xxh32 } = require('lz4js/xxh32')

const MAX_BYTES = 16 << 20
const CODECS = { none: 0, gzip: CompressionTypes.GZIP, snappy: CompressionTypes.Snappy, lz4: CompressionTypes.LZ4, zstd: CompressionTypes.ZSTD }
CompressionCodecs[CompressionTypes.Snappy] = SnappyCodec
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: async encoder => independent(Buffer.from(lz4.compress(encoder.buffer))),
  decompress: async data => unframe(data),
})
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: async encoder => zlib.zstdCompressSync(encoder.buffer),
  decompress: async data => zlib.zstdDecompressSync(data),
})

/** Kafka refuses frames that may refer to earlier blocks; this encoder writes one block, but does not say so. */
function independent(frame) {
  frame[4] |= 0x20
  frame[6] = (xxh32(0, frame, 4, 2) >> 8) & 0xff
  return frame
}

/** The blocks of an LZ4 frame; lz4js itself fails over frames that name their content's size. */
function unframe(frame) {
  const flags = frame[4]
  const blockMax = 1 << (2 * (frame[5] >> 4) + 8)
  const parts = []
  let at = flags & 8 ? 15 : 7
  for (let word; (word = frame.readUInt32LE(at)) !== 0; ) {
    at += 4
    const size = word & 0x7fffffff
    if (word >>> 31) {
      parts.push(frame.subarray(at, at + size))
    } else {
      const block = Buffer.alloc(blockMax)
      parts.push(block.subarray(0, lz4.decompressBlock(frame, block, at, size, 0)))
    }
    at += size + (flags & 0x10 ? 4 : 0)
  }
  return Buffer.concat(parts)
}

const kafka = new Kafka({
  clientId: 'matrix',
  brokers: [process.argv[2]],
  logLevel: logLevel.WARN,
  logCreator: () => ({ label, log }) => console.error(label, JSON.stringify(log)),
  retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 60 },
})
const admin = kafka.admin({ retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 8 } })
const readers = {}
const members = {}
const streams = {}
let groups = 0

const decode = text => (text === null ? null : Buffer.from(text, 'base64'))
const encode = data => (data === null || data === undefined ? null : data.toString('base64'))
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))

class Failure extends Error {
  constructor(code, text = '') {
    super(`error ${code} ${text}`)
    this.code = code
  }
}

/** Kafka's number in an error, however deep this client has wrapped it; null without one. */
function codeOf(error) {
  if (!error) return null
  if (Number.isInteger(error.code)) return error.code
  if (Number.isInteger(error.errorCode)) return error.errorCode
  for (const inner of [...(error.errors || []), ...(error.groups || []), ...(error.partitions || []), error.error, error.cause]) {
    const code = codeOf(inner)
    if (code !== null) return code
  }
  return null
}

function toMessage(record) {
  const headers = {} // kafkajs keeps a list for a name that comes more than once
  for (const { n, v } of record.h || []) {
    if (!(n in headers)) headers[n] = decode(v)
    else headers[n] = [].concat(headers[n], decode(v))
  }
  const message = { partition: record.p, key: decode(record.k), value: decode(record.v), headers }
  if (record.t !== null && record.t !== undefined) message.timestamp = String(record.t)
  return message
}

function fromMessage(partition, message) {
  const headers = []
  for (const [name, value] of Object.entries(message.headers || {})) {
    for (const one of [].concat(value)) headers.push({ n: name, v: encode(one) })
  }
  return { p: partition, o: Number(message.offset), k: encode(message.key), v: encode(message.value), t: Number(message.timestamp), h: headers }
}

function newProducer(idempotent) {
  return kafka.producer({ idempotent, maxInFlightRequests: idempotent ? 1 : undefined, allowAutoTopicCreation: false,
    createPartitioner: () => ({ message }) => message.partition })
}

async function produce(r) {
  const producer = newProducer(r.idempotent || false)
  await producer.connect()
  try {
    const acks = r.acks === undefined ? -1 : r.acks
    const answer = await producer.send({ topic: r.topic, acks, compression: CODECS[r.codec || 'none'], messages: r.records.map(toMessage) })
    const next = {}
    for (const { partition, baseOffset } of answer || []) next[partition] = Number(baseOffset)
    return { offsets: r.records.map(record => (record.p in next ? next[record.p]++ : -1)) }
  } finally {
    await producer.disconnect()
  }
}

/** This client reads only as a member of a group: one of its own, without commits, that seeks. */
class Reader {
  constructor(topic, places) {
    this.topic = topic
    this.places = places
    this.found = []
    this.consumer = kafka.consumer({ groupId: `reader-${process.pid}-${groups++}`, maxWaitTimeInMs: 100, maxBytes: 4 * MAX_BYTES,
      maxBytesPerPartition: MAX_BYTES, allowAutoTopicCreation: false })
  }

  async open() {
    await this.consumer.connect()
    await this.consumer.subscribe({ topic: this.topic, fromBeginning: true })
    const joined = new Promise(resolve => this.consumer.on(this.consumer.events.GROUP_JOIN, resolve))
    let ready = false
    await this.consumer.run({ autoCommit: false, eachMessage: async ({ partition, message }) => {
      if (ready && String(partition) in this.places) this.found.push(fromMessage(partition, message))
    } })
    const { payload } = await joined
    const others = payload.memberAssignment[this.topic].filter(p => !(String(p) in this.places))
    if (others.length) this.consumer.pause([{ topic: this.topic, partitions: others }])
    const ends = await admin.fetchTopicOffsets(this.topic)
    for (const [partition, offset] of Object.entries(this.places)) this.go(ends, Number(partition), offset)
    ready = true
  }

  async seek(partition, offset) {
    this.go(await admin.fetchTopicOffsets(this.topic), partition, offset)
  }

  /** To the ends by their numbers: this client takes -1 for no offset at all. */
  go(ends, partition, offset) {
    const { low, high } = ends.find(end => end.partition === partition)
    this.found = []
    this.consumer.seek({ topic: this.topic, partition, offset: offset === -1 ? high : offset === -2 ? low : String(offset) })
  }

  async take(count, waitMs) {
    const deadline = Date.now() + waitMs
    while (this.found.length < count && Date.now() < deadline) await sleep(10)
    return { records: this.found.splice(0, count) }
  }

  async close() {
    await this.consumer.disconnect()
  }
}

async function consume(r) {
  const reader = new Reader(r.topic, r.from)
  await reader.open()
  const answer = await reader.take(r.count, r.wait_ms)
  await reader.close()
  return answer
}

class Member {
  constructor(r) {
    this.topics = r.topics
    this.records = []
    this.assignment = {}
    this.total = this.revoked = this.rebalances = 0
    this.consumer = kafka.consumer({ groupId: r.group, sessionTimeout: r.session_ms, heartbeatInterval: 200, maxWaitTimeInMs: 100,
      rebalanceTimeout: 10000, metadataMaxAge: 1000, partitionAssigners: [PartitionAssigners.roundRobin], allowAutoTopicCreation: false })
    this.consumer.on(this.consumer.events.GROUP_JOIN, ({ payload }) => {
      this.rebalances++
      for (const topic of this.topics) {
        const now = payload.memberAssignment[topic] || []
        this.revoked += (this.assignment[topic] || []).filter(p => !now.includes(p)).length
        this.assignment[topic] = [...now].sort((a, b) => a - b)
      }
    })
  }

  async start() {
    await this.consumer.connect()
    await this.consumer.subscribe({ topics: this.topics, fromBeginning: true })
    await this.consumer.run({ eachMessage: async ({ partition, message }) => {
      this.total++
      this.records.push(fromMessage(partition, message))
    } })
  }

  state() {
    const { assignment, total, revoked, rebalances } = this
    return { assignment, total, revoked, rebalances, records: this.records.splice(0) }
  }

  async leave() {
    await this.consumer.disconnect()
    return this.state()
  }
}

async function stream(r) {
  const producer = newProducer(true)
  await producer.connect()
  const status = (streams[r.name] = { acked: 0, failed: [] })
  const run = async () => {
    for (let first = 0; first < r.count; first += 5) {
      const numbers = [0, 1, 2, 3, 4].map(i => first + i).filter(i => i < r.count)
      const messages = numbers.map(i => ({ partition: i % r.partitions, value: String(i) }))
      try {
        await producer.send({ topic: r.topic, compression: CODECS[r.codec], messages })
        status.acked += messages.length
      } catch (error) {
        status.failed.push(String(error))
      }
      await sleep(5)
    }
    await producer.disconnect()
  }
  run()
}

const config = async (type, name) => {
  const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [{ type, name }] })
  return { config: Object.fromEntries(resources[0].configEntries.map(entry => [entry.configName, entry.configValue])) }
}

async function offsets(r) {
  const found = await (r.at < 0 ? admin.fetchTopicOffsets(r.topic) : admin.fetchTopicOffsetsByTimestamp(r.topic, r.at))
  return { offsets: Object.fromEntries(found.map(one => [one.partition, Number(r.at === -2 ? one.low : one.offset)])) }
}

const verbs = {
  produce, consume, stream, offsets,
  reader_open: async r => {
    readers[r.name] = new Reader(r.topic, { [r.partition]: -2 })
    await readers[r.name].open()
  },
  reader_seek: async r => readers[r.name].seek(Number(Object.keys(readers[r.name].places)[0]), r.to),
  reader_take: r => readers[r.name].take(r.count, r.wait_ms),
  reader_close: r => readers[r.name].close(),
  join: async r => {
    members[r.name] = new Member(r)
    await members[r.name].start()
  },
  member: async r => members[r.name].state(),
  leave: r => members[r.name].leave(),
  stream_status: async r => streams[r.name],
  create_topic: async r => {
    const configEntries = Object.entries(r.config).map(([name, value]) => ({ name, value }))
    const made = await admin.createTopics({ waitForLeaders: false,
      topics: [{ topic: r.topic, numPartitions: r.partitions, replicationFactor: 1, configEntries }] })
    if (!made) throw new Failure(36, 'createTopics said false: it exists')
  },
  delete_topic: r => admin.deleteTopics({ topics: [r.topic] }),
  list_topics: async () => ({ topics: await admin.listTopics() }),
  describe_topic: async r => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [r.topic] })
    return { partitions: topics[0].partitions.map(p => ({ id: p.partitionId, leader: p.leader, replicas: p.replicas, isr: p.isr })) }
  },
  create_partitions: r => admin.createPartitions({ topicPartitions: [{ topic: r.topic, count: r.count }] }),
  topic_config: r => config(ConfigResourceTypes.TOPIC, r.topic),
  broker_config: r => config(ConfigResourceTypes.BROKER, String(r.broker)),
  // AlterConfigs, all that this client has: it sets the topic's whole configuration.
  set_topic_config: r => admin.alterConfigs({ validateOnly: false, resources: [{ type: ConfigResourceTypes.TOPIC, name: r.topic,
    configEntries: r.value === null ? [] : [{ name: r.name, value: r.value }] }] }),
  describe_cluster: async () => {
    const found = await admin.describeCluster()
    return { controller: found.controller, brokers: found.brokers.map(broker => broker.nodeId) }
  },
  delete_records: r => admin.deleteTopicRecords({ topic: r.topic, partitions: [{ partition: r.partition, offset: String(r.before) }] }),
  list_groups: async () => ({ groups: (await admin.listGroups()).groups.map(group => group.groupId) }),
  describe_group: async r => {
    const { AssignerProtocol: { MemberAssignment } } = require('kafkajs')
    const [found] = (await admin.describeGroups([r.group])).groups
    if (found.errorCode) throw new Failure(found.errorCode)
    return { state: found.state, members: found.members.map(member => ({ client: member.clientId, instance: null,
      assignment: MemberAssignment.decode(member.memberAssignment).assignment })) }
  },
  delete_group: r => admin.deleteGroups([r.group]),
  group_offsets: async r => {
    const [found] = await admin.fetchOffsets({ groupId: r.group, topics: [r.topic] })
    return { offsets: Object.fromEntries(found.partitions.map(p => [p.partition, Number(p.offset)])) }
  },
  set_group_offsets: r => admin.setOffsets({ groupId: r.group, topic: r.topic,
    partitions: Object.entries(r.offsets).map(([partition, offset]) => ({ partition: Number(partition), offset: String(offset) })) }),
}

async function main() {
  await admin.connect()
  for await (const line of readline.createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    const request = JSON.parse(line)
    const answer = { id: request.id }
    try {
      if (!verbs[request.verb]) throw new Failure(null, `no verb ${request.verb}`)
      answer.result = (await verbs[request.verb](request)) ?? null
      if (answer.result === true || answer.result === false) answer.result = null
    } catch (error) {
      answer.error = { code: codeOf(error), text: String(error.stack || error) }
    }
    process.stdout.write(JSON.stringify(answer) + '\n')
  }
  process.exit(0)
}

process.on('unhandledRejection', error => console.error('unhandled', error))
main()
