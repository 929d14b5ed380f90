// Drives sarama as the scenarios ask: sarama BOOTSTRAP.
package main

import (
	"errors"
	"os"
	"strconv"
	"time"

	"github.com/IBM/sarama"

	"milena/matrix/driver"
)

type (
	answer  = driver.Answer
	request = driver.Request
)

const maxBytes = 16 << 20

var (
	bootstrap []string
	client    sarama.Client
	readers   = map[string]*reader{}
	streams   = map[string]*driver.Stream{}
	codecs    = map[string]sarama.CompressionCodec{"": sarama.CompressionNone, "none": sarama.CompressionNone,
		"gzip": sarama.CompressionGZIP, "snappy": sarama.CompressionSnappy, "lz4": sarama.CompressionLZ4,
		"zstd": sarama.CompressionZSTD}
)

type reader struct {
	consumer  sarama.Consumer
	topic     string
	partition int32
	from      sarama.PartitionConsumer
}

func newConfig() *sarama.Config {
	config := sarama.NewConfig()
	config.Version = sarama.MaxVersion
	config.Metadata.RefreshFrequency = 2 * time.Second
	config.Metadata.Retry.Max = 100
	config.Metadata.Retry.Backoff = 100 * time.Millisecond
	config.Admin.Retry.Max = 50
	config.Consumer.MaxWaitTime = 100 * time.Millisecond
	config.Consumer.Fetch.Default = maxBytes
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.Return.Errors = false
	config.Producer.MaxMessageBytes = maxBytes
	config.Producer.Partitioner = sarama.NewManualPartitioner
	config.Producer.Return.Successes = true
	config.Producer.Flush.Frequency = 5 * time.Millisecond
	return config
}

func toMessage(topic string, r driver.Record) *sarama.ProducerMessage {
	message := &sarama.ProducerMessage{Topic: topic, Partition: r.Partition}
	if r.Key != nil {
		message.Key = sarama.ByteEncoder(r.Key)
	}
	if r.Value != nil {
		message.Value = sarama.ByteEncoder(r.Value)
	}
	if r.Time != nil {
		message.Timestamp = time.UnixMilli(*r.Time)
	}
	for _, header := range r.Headers {
		message.Headers = append(message.Headers, sarama.RecordHeader{Key: []byte(header.Name), Value: header.Value})
	}
	return message
}

func fromMessage(m *sarama.ConsumerMessage) driver.Record {
	ms := m.Timestamp.UnixMilli()
	record := driver.Record{Partition: m.Partition, Key: m.Key, Value: m.Value, Time: &ms, Offset: m.Offset}
	for _, header := range m.Headers {
		record.Headers = append(record.Headers, driver.Header{Name: string(header.Key), Value: header.Value})
	}
	return record
}

func producerConfig(r *request, idempotent bool) *sarama.Config {
	config := newConfig()
	config.Producer.Compression = codecs[r.Codec]
	config.Producer.RequiredAcks = sarama.WaitForAll
	if r.Acks != nil {
		config.Producer.RequiredAcks = sarama.RequiredAcks(*r.Acks)
	}
	if idempotent {
		config.Producer.Idempotent = true
		config.Net.MaxOpenRequests = 1
		config.Producer.Retry.Max = 1000
	}
	return config
}

func produce(r *request) (answer, error) {
	producer, err := sarama.NewSyncProducer(bootstrap, producerConfig(r, r.Idempotent))
	if err != nil {
		return nil, err
	}
	defer producer.Close()
	messages := []*sarama.ProducerMessage{}
	for _, record := range r.Records {
		messages = append(messages, toMessage(r.Topic, record))
	}
	if err := producer.SendMessages(messages); err != nil {
		var several sarama.ProducerErrors
		if errors.As(err, &several) {
			err = several[0].Err
		}
		return nil, err
	}
	offsets := []int64{}
	for _, message := range messages {
		offsets = append(offsets, message.Offset)
	}
	return answer{"offsets": offsets}, nil
}

func consume(r *request) (answer, error) {
	consumer, err := sarama.NewConsumer(bootstrap, newConfig())
	if err != nil {
		return nil, err
	}
	defer consumer.Close()
	messages := make(chan *sarama.ConsumerMessage)
	done := make(chan struct{})
	defer close(done)
	for partition, offset := range r.From {
		from, err := consumer.ConsumePartition(r.Topic, partition, offset)
		if err != nil {
			return nil, err
		}
		defer from.AsyncClose()
		go func() {
			for message := range from.Messages() {
				select {
				case messages <- message:
				case <-done:
				}
			}
		}()
	}
	return take(messages, r)
}

func take(messages <-chan *sarama.ConsumerMessage, r *request) (answer, error) {
	found := []driver.Record{}
	deadline := time.After(time.Duration(r.WaitMs) * time.Millisecond)
	for len(found) < r.Count {
		select {
		case message := <-messages:
			found = append(found, fromMessage(message))
		case <-deadline:
			return answer{"records": found}, nil
		}
	}
	return answer{"records": found}, nil
}

func readerOpen(r *request) (answer, error) {
	consumer, err := sarama.NewConsumer(bootstrap, newConfig())
	readers[r.Name] = &reader{consumer: consumer, topic: r.Topic, partition: r.Partition}
	return nil, err
}

func readerSeek(r *request) (answer, error) {
	reader := readers[r.Name]
	if reader.from != nil {
		if err := reader.from.Close(); err != nil {
			return nil, err
		}
	}
	var err error
	reader.from, err = reader.consumer.ConsumePartition(reader.topic, reader.partition, r.To)
	return nil, err
}

func readerClose(r *request) (answer, error) {
	reader := readers[r.Name]
	delete(readers, r.Name)
	return nil, errors.Join(reader.from.Close(), reader.consumer.Close())
}

func offsets(r *request) (answer, error) {
	if err := client.RefreshMetadata(r.Topic); err != nil {
		return nil, err
	}
	places := map[int32]int64{}
	for partition := int32(0); partition < r.Partitions; partition++ {
		offset, err := client.GetOffset(r.Topic, partition, r.At)
		if err != nil {
			return nil, err
		}
		places[partition] = offset
	}
	return answer{"offsets": places}, nil
}

func stream(r *request) (answer, error) {
	producer, err := sarama.NewAsyncProducer(bootstrap, producerConfig(r, true))
	if err != nil {
		return nil, err
	}
	s := &driver.Stream{}
	streams[r.Name] = s
	topic, count, partitions := r.Topic, r.Count, r.Partitions
	go func() {
		for range producer.Successes() {
			s.Done(nil)
		}
	}()
	go func() {
		for failed := range producer.Errors() {
			s.Done(failed)
		}
	}()
	go func() {
		for i := 0; i < count; i++ {
			producer.Input() <- &sarama.ProducerMessage{Topic: topic, Partition: int32(i) % partitions,
				Value: sarama.StringEncoder(strconv.Itoa(i))}
			driver.Pace(i)
		}
		producer.AsyncClose()
	}()
	return nil, nil
}

func codeOf(err error) *int16 {
	var found sarama.KError
	if !errors.As(err, &found) {
		var failed *sarama.TopicError
		var partition *sarama.TopicPartitionError
		var config *sarama.AlterConfigError
		switch {
		case errors.As(err, &failed):
			found = failed.Err
		case errors.As(err, &partition):
			found = partition.Err
		case errors.As(err, &config):
			found = config.Err
		default:
			return nil
		}
	}
	code := int16(found)
	return &code
}

func main() {
	bootstrap = os.Args[1:2]
	var err error
	if client, err = sarama.NewClient(bootstrap, newConfig()); err != nil {
		panic(err)
	}
	if admin, err = sarama.NewClusterAdmin(bootstrap, newConfig()); err != nil {
		panic(err)
	}
	verbs := map[string]driver.Verb{"produce": produce, "consume": consume, "reader_open": readerOpen,
		"reader_seek": readerSeek, "reader_close": readerClose, "offsets": offsets, "join": join, "leave": leave,
		"reader_take":   func(r *request) (answer, error) { return take(readers[r.Name].from.Messages(), r) },
		"member":        func(r *request) (answer, error) { return members[r.Name].Answer(), nil },
		"stream":        stream,
		"stream_status": func(r *request) (answer, error) { return streams[r.Name].Answer(), nil }}
	for name, verb := range adminVerbs {
		verbs[name] = verb
	}
	driver.Run(verbs, codeOf)
}
