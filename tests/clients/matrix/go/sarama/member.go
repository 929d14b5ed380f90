package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/IBM/sarama"

	"milena/matrix/driver"
)

var (
	members    = map[string]*member{}
	strategies = map[string]sarama.BalanceStrategy{"range": sarama.NewBalanceStrategyRange(),
		"roundrobin": sarama.NewBalanceStrategyRoundRobin(), "sticky": sarama.NewBalanceStrategySticky()}
)

// member is a sarama.ConsumerGroupHandler: a session is what the group gives between two rebalances.
type member struct {
	*driver.Member
	group sarama.ConsumerGroup
	stop  context.CancelFunc
	ended chan struct{}
}

func (m *member) Setup(session sarama.ConsumerGroupSession) error {
	m.Assigned(session.Claims())
	return nil
}

func (m *member) Cleanup(session sarama.ConsumerGroupSession) error {
	session.Commit()
	m.Revoked(session.Claims())
	return nil
}

func (m *member) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for message := range claim.Messages() {
		m.Took(fromMessage(message))
		session.MarkMessage(message, "")
	}
	return nil
}

func join(r *request) (answer, error) {
	config := newConfig()
	config.ClientID = "member-" + r.Name
	config.Consumer.Group.Session.Timeout = time.Duration(r.SessionMs) * time.Millisecond
	config.Consumer.Group.Heartbeat.Interval = 200 * time.Millisecond
	config.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{strategies[r.Strategy]}
	config.Consumer.Group.InstanceId = r.Instance
	config.Consumer.Offsets.AutoCommit.Interval = 100 * time.Millisecond
	config.Consumer.Offsets.Retry.Max = 10
	group, err := sarama.NewConsumerGroup(bootstrap, r.Group, config)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	m := &member{Member: driver.NewMember(), group: group, stop: stop, ended: make(chan struct{})}
	members[r.Name] = m
	topics := r.Topics
	go func() {
		defer close(m.ended)
		for ctx.Err() == nil {
			if err := group.Consume(ctx, topics, m); err != nil {
				fmt.Fprintln(os.Stderr, "member:", err) // a rebalance or a restart
				time.Sleep(100 * time.Millisecond)
			}
		}
	}()
	return nil, nil
}

func leave(r *request) (answer, error) {
	m := members[r.Name]
	delete(members, r.Name)
	m.stop()
	<-m.ended
	err := m.group.Close()
	return m.Answer(), err
}
