// Package driver is the protocol's half that both Go clients share: one JSON request a line in, one answer a line out.
// ../../README.md says what the verbs mean.
package driver

import (
	"bufio"
	"encoding/json"
	"os"
	"sync"
	"time"
)

// Header is one header of a record; a nil Value is null.
type Header struct {
	Name  string `json:"n"`
	Value []byte `json:"v"`
}

// Record as it goes over the pipe: nil is null, empty is empty; Time in ms.
type Record struct {
	Partition int32    `json:"p"`
	Key       []byte   `json:"k"`
	Value     []byte   `json:"v"`
	Headers   []Header `json:"h"`
	Time      *int64   `json:"t"`
	Offset    int64    `json:"o"`
}

// Request has the fields of all verbs.
type Request struct {
	ID         int                `json:"id"`
	Verb       string             `json:"verb"`
	Name       string             `json:"name"`
	Topic      string             `json:"topic"`
	Topics     []string           `json:"topics"`
	Records    []Record           `json:"records"`
	Codec      string             `json:"codec"`
	Acks       *int16             `json:"acks"`
	Idempotent bool               `json:"idempotent"`
	From       map[int32]int64    `json:"from"`
	Count      int                `json:"count"`
	WaitMs     int                `json:"wait_ms"`
	Partition  int32              `json:"partition"`
	Partitions int32              `json:"partitions"`
	To         int64              `json:"to"`
	At         int64              `json:"at"`
	Before     int64              `json:"before"`
	Config     map[string]*string `json:"config"`
	Value      *string            `json:"value"`
	Broker     int32              `json:"broker"`
	Group      string             `json:"group"`
	Strategy   string             `json:"strategy"`
	Instance   string             `json:"instance"`
	SessionMs  int                `json:"session_ms"`
	Offsets    map[int32]int64    `json:"offsets"`
}

// Answer is what a verb gives.
type Answer map[string]any

// Verb answers one request.
type Verb func(*Request) (Answer, error)

// CodeOf finds Kafka's error number in an error, or nil.
type CodeOf func(error) *int16

// Run serves requests until the input ends.
func Run(verbs map[string]Verb, code CodeOf) {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		var request Request
		answer := Answer{}
		if err = json.Unmarshal(line, &request); err == nil {
			if verb, known := verbs[request.Verb]; known {
				answer["result"], err = verb(&request)
			} else {
				answer["error"] = Answer{"code": nil, "text": "no verb " + request.Verb}
			}
		}
		answer["id"] = request.ID
		if err != nil {
			answer["error"] = Answer{"code": code(err), "text": err.Error()}
		}
		text, err := json.Marshal(answer)
		if err != nil {
			panic(err)
		}
		out.Write(append(text, '\n'))
		out.Flush()
	}
}

// Member collects what a group member sees. Its methods may be called from several goroutines.
type Member struct {
	mutex      sync.Mutex
	records    []Record
	total      int
	owned      map[string]map[int32]bool
	revoked    int
	rebalances int
}

// NewMember has no partitions yet.
func NewMember() *Member { return &Member{owned: map[string]map[int32]bool{}} }

// Took adds records that the member read.
func (m *Member) Took(records ...Record) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.records = append(m.records, records...)
	m.total += len(records)
}

// Assigned adds partitions.
func (m *Member) Assigned(partitions map[string][]int32) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.rebalances++
	for topic, numbers := range partitions {
		if m.owned[topic] == nil {
			m.owned[topic] = map[int32]bool{}
		}
		for _, number := range numbers {
			m.owned[topic][number] = true
		}
	}
}

// Revoked takes partitions away.
func (m *Member) Revoked(partitions map[string][]int32) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	for topic, numbers := range partitions {
		for _, number := range numbers {
			if m.owned[topic][number] {
				delete(m.owned[topic], number)
				m.revoked++
			}
		}
	}
}

// Answer is the member's state; the records are handed out once.
func (m *Member) Answer() Answer {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	assignment := map[string][]int32{}
	for topic, numbers := range m.owned {
		list := []int32{}
		for number := int32(0); len(list) < len(numbers); number++ {
			if numbers[number] {
				list = append(list, number)
			}
		}
		assignment[topic] = list
	}
	records := append([]Record{}, m.records...)
	m.records = nil
	return Answer{"assignment": assignment, "records": records, "total": m.total, "revoked": m.revoked,
		"rebalances": m.rebalances}
}

// Stream counts the answers to a background producer's records.
type Stream struct {
	mutex  sync.Mutex
	acked  int
	failed []string
}

// Done notes one answer.
func (s *Stream) Done(err error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if err == nil {
		s.acked++
	} else {
		s.failed = append(s.failed, err.Error())
	}
}

// Answer is the stream's state.
func (s *Stream) Answer() Answer {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return Answer{"acked": s.acked, "failed": append([]string{}, s.failed...)}
}

// Pace sleeps now and then, so that a stream of 2,000 records lasts some seconds.
func Pace(number int) {
	if number%5 == 0 {
		time.Sleep(5 * time.Millisecond)
	}
}
