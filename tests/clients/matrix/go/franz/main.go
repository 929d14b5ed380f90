// Drives franz-go (kgo and kadm) as the scenarios ask: franz BOOTSTRAP.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kversion"

	"milena/matrix/driver"
)

type (
	answer  = driver.Answer
	request = driver.Request
)

const maxBytes = 16 << 20

var (
	bootstrap string
	admin     *kadm.Client
	readers   = map[string]reader{}
	members   = map[string]*member{}
	streams   = map[string]*driver.Stream{}
	codecs    = map[string]kgo.CompressionCodec{"": kgo.NoCompression(), "none": kgo.NoCompression(),
		"gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(),
		"zstd": kgo.ZstdCompression()}
)

type reader struct {
	client    *kgo.Client
	topic     string
	partition int32
}

type member struct {
	*driver.Member
	client *kgo.Client
	stop   context.CancelFunc
	ended  chan struct{}
}

func newClient(options ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(bootstrap), kgo.MaxVersions(kversion.Stable()),
		kgo.FetchMaxBytes(4 * maxBytes), kgo.BrokerMaxReadBytes(8 * maxBytes), kgo.FetchMaxPartitionBytes(maxBytes),
		kgo.FetchMaxWait(100 * time.Millisecond), kgo.RetryBackoffFn(func(int) time.Duration { return 100 * time.Millisecond }),
		kgo.MetadataMaxAge(5 * time.Second), kgo.MetadataMinAge(250 * time.Millisecond)}, options...)...)
}

func timeout(ms int) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), time.Duration(ms)*time.Millisecond)
}

func toRecord(topic string, r driver.Record) *kgo.Record {
	record := &kgo.Record{Topic: topic, Partition: r.Partition, Key: r.Key, Value: r.Value}
	if r.Time != nil {
		record.Timestamp = time.UnixMilli(*r.Time)
	}
	for _, header := range r.Headers {
		record.Headers = append(record.Headers, kgo.RecordHeader{Key: header.Name, Value: header.Value})
	}
	return record
}

func fromRecord(r *kgo.Record) driver.Record {
	ms := r.Timestamp.UnixMilli()
	record := driver.Record{Partition: r.Partition, Key: r.Key, Value: r.Value, Time: &ms, Offset: r.Offset}
	for _, header := range r.Headers {
		record.Headers = append(record.Headers, driver.Header{Name: header.Key, Value: header.Value})
	}
	return record
}

func producerOptions(r *request, idempotent bool) []kgo.Opt {
	options := []kgo.Opt{kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchMaxBytes(maxBytes),
		kgo.ProducerBatchCompression(codecs[r.Codec]), kgo.ProducerLinger(5 * time.Millisecond)}
	if !idempotent {
		options = append(options, kgo.DisableIdempotentWrite())
		switch {
		case r.Acks == nil || *r.Acks == -1:
		case *r.Acks == 0:
			options = append(options, kgo.RequiredAcks(kgo.NoAck()))
		default:
			options = append(options, kgo.RequiredAcks(kgo.LeaderAck()))
		}
	}
	return options
}

func produce(r *request) (answer, error) {
	client, err := newClient(producerOptions(r, r.Idempotent)...)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	records := []*kgo.Record{}
	for _, record := range r.Records {
		records = append(records, toRecord(r.Topic, record))
	}
	ctx, cancel := timeout(30000)
	defer cancel()
	if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return nil, err
	}
	offsets := []int64{}
	for _, record := range records {
		offsets = append(offsets, record.Offset)
	}
	return answer{"offsets": offsets}, nil
}

func place(offset int64) kgo.Offset {
	switch offset {
	case -2:
		return kgo.NewOffset().AtStart()
	case -1:
		return kgo.NewOffset().AtEnd()
	}
	return kgo.NewOffset().At(offset)
}

// take polls until it has count records or the time is over.
func take(client *kgo.Client, count int, waitMs int) ([]driver.Record, error) {
	found := []driver.Record{}
	ctx, cancel := timeout(waitMs)
	defer cancel()
	for len(found) < count {
		fetches := client.PollRecords(ctx, count-len(found))
		for _, failed := range fetches.Errors() {
			if errors.Is(failed.Err, context.DeadlineExceeded) {
				return found, nil
			}
			return nil, failed.Err
		}
		fetches.EachRecord(func(record *kgo.Record) { found = append(found, fromRecord(record)) })
	}
	return found, nil
}

func consume(r *request) (answer, error) {
	places := map[int32]kgo.Offset{}
	for partition, offset := range r.From {
		places[partition] = place(offset)
	}
	client, err := newClient(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{r.Topic: places}))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	found, err := take(client, r.Count, r.WaitMs)
	return answer{"records": found}, err
}

func readerOpen(r *request) (answer, error) {
	client, err := newClient(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{r.Topic: {r.Partition: place(-2)}}))
	readers[r.Name] = reader{client, r.Topic, r.Partition}
	return nil, err
}

func readerSeek(r *request) (answer, error) {
	reader := readers[r.Name]
	reader.client.RemoveConsumePartitions(map[string][]int32{reader.topic: {reader.partition}})
	reader.client.AddConsumePartitions(map[string]map[int32]kgo.Offset{reader.topic: {reader.partition: place(r.To)}})
	return nil, nil
}

func readerTake(r *request) (answer, error) {
	found, err := take(readers[r.Name].client, r.Count, r.WaitMs)
	return answer{"records": found}, err
}

func readerClose(r *request) (answer, error) {
	readers[r.Name].client.Close()
	delete(readers, r.Name)
	return nil, nil
}

func balancer(strategy string) kgo.GroupBalancer {
	switch strategy {
	case "roundrobin":
		return kgo.RoundRobinBalancer()
	case "sticky":
		return kgo.StickyBalancer()
	case "cooperative":
		return kgo.CooperativeStickyBalancer()
	}
	return kgo.RangeBalancer()
}

func join(r *request) (answer, error) {
	m := &member{Member: driver.NewMember(), ended: make(chan struct{})}
	options := []kgo.Opt{kgo.ConsumerGroup(r.Group), kgo.ConsumeTopics(r.Topics...), kgo.Balancers(balancer(r.Strategy)),
		kgo.SessionTimeout(time.Duration(r.SessionMs) * time.Millisecond), kgo.HeartbeatInterval(200 * time.Millisecond),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll(),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, p map[string][]int32) { m.Assigned(p) }),
		kgo.OnPartitionsRevoked(func(_ context.Context, _ *kgo.Client, p map[string][]int32) { m.Revoked(p) }),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, p map[string][]int32) { m.Revoked(p) })}
	if r.Instance != "" {
		options = append(options, kgo.InstanceID(r.Instance))
	}
	client, err := newClient(options...)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	m.client, m.stop = client, stop
	members[r.Name] = m
	go func() {
		defer close(m.ended)
		for ctx.Err() == nil {
			client.PollFetches(ctx).EachRecord(func(record *kgo.Record) { m.Took(fromRecord(record)) })
			if err := client.CommitUncommittedOffsets(context.Background()); err != nil {
				fmt.Fprintln(os.Stderr, "commit:", err)
			}
			client.AllowRebalance()
		}
	}()
	return nil, nil
}

func leave(r *request) (answer, error) {
	m := members[r.Name]
	delete(members, r.Name)
	m.stop()
	<-m.ended
	m.client.CloseAllowingRebalance()
	return m.Answer(), nil
}

func stream(r *request) (answer, error) {
	client, err := newClient(producerOptions(r, true)...)
	if err != nil {
		return nil, err
	}
	s := &driver.Stream{}
	streams[r.Name] = s
	topic, count, partitions := r.Topic, r.Count, r.Partitions
	go func() {
		for i := 0; i < count; i++ {
			record := &kgo.Record{Topic: topic, Partition: int32(i) % partitions, Value: []byte(strconv.Itoa(i))}
			client.Produce(context.Background(), record, func(_ *kgo.Record, err error) { s.Done(err) })
			driver.Pace(i)
		}
		client.Flush(context.Background())
		client.Close()
	}()
	return nil, nil
}

func codeOf(err error) *int16 {
	var found *kerr.Error
	if errors.As(err, &found) {
		return &found.Code
	}
	return nil
}

func main() {
	bootstrap = os.Args[1]
	client, err := newClient()
	if err != nil {
		panic(err)
	}
	admin = kadm.NewClient(client)
	verbs := map[string]driver.Verb{"produce": produce, "consume": consume, "reader_open": readerOpen,
		"reader_seek": readerSeek, "reader_take": readerTake, "reader_close": readerClose, "join": join, "leave": leave,
		"member":        func(r *request) (answer, error) { return members[r.Name].Answer(), nil },
		"stream":        stream,
		"stream_status": func(r *request) (answer, error) { return streams[r.Name].Answer(), nil }}
	for name, verb := range adminVerbs {
		verbs[name] = verb
	}
	driver.Run(verbs, codeOf)
}
