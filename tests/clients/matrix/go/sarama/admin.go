package main

import (
	"strconv"

	"github.com/IBM/sarama"

	"milena/matrix/driver"
)

var admin sarama.ClusterAdmin

var adminVerbs = map[string]driver.Verb{
	"create_topic": createTopic, "list_topics": listTopics, "describe_topic": describeTopic,
	"delete_topic":      func(r *request) (answer, error) { return nil, admin.DeleteTopic(r.Topic) },
	"create_partitions": createPartitions, "set_topic_config": setTopicConfig,
	"topic_config":     func(r *request) (answer, error) { return config(sarama.TopicResource, r.Topic) },
	"broker_config":    func(r *request) (answer, error) { return config(sarama.BrokerResource, strconv.Itoa(int(r.Broker))) },
	"describe_cluster": describeCluster, "delete_records": deleteRecords, "list_groups": listGroups,
	"describe_group": describeGroup,
	"delete_group":   func(r *request) (answer, error) { return nil, admin.DeleteConsumerGroup(r.Group) },
	"group_offsets":  groupOffsets, "set_group_offsets": setGroupOffsets,
	"delete_group_offsets": func(r *request) (answer, error) {
		return nil, admin.DeleteConsumerGroupOffset(r.Group, r.Topic, r.Partition)
	},
}

func failed(code sarama.KError) error {
	if code == sarama.ErrNoError {
		return nil
	}
	return code
}

func createTopic(r *request) (answer, error) {
	detail := &sarama.TopicDetail{NumPartitions: r.Partitions, ReplicationFactor: 1, ConfigEntries: r.Config}
	return nil, admin.CreateTopic(r.Topic, detail, false)
}

func listTopics(*request) (answer, error) {
	found, err := admin.ListTopics()
	names := []string{}
	for name := range found {
		names = append(names, name)
	}
	return answer{"topics": names}, err
}

func describeTopic(r *request) (answer, error) {
	found, err := admin.DescribeTopics([]string{r.Topic})
	if err == nil {
		err = failed(found[0].Err)
	}
	if err != nil {
		return nil, err
	}
	list := []answer{}
	for _, p := range found[0].Partitions {
		list = append(list, answer{"id": p.ID, "leader": p.Leader, "replicas": p.Replicas, "isr": p.Isr})
	}
	return answer{"partitions": list}, nil
}

func createPartitions(r *request) (answer, error) {
	return nil, admin.CreatePartitions(r.Topic, int32(r.Count), nil, false)
}

func config(kind sarama.ConfigResourceType, name string) (answer, error) {
	found, err := admin.DescribeConfig(sarama.ConfigResource{Type: kind, Name: name})
	config := map[string]string{}
	for _, entry := range found {
		config[entry.Name] = entry.Value
	}
	return answer{"config": config}, err
}

func setTopicConfig(r *request) (answer, error) {
	change := sarama.IncrementalAlterConfigsEntry{Operation: sarama.IncrementalAlterConfigsOperationSet, Value: r.Value}
	if r.Value == nil {
		change.Operation = sarama.IncrementalAlterConfigsOperationDelete
	}
	changes := map[string]sarama.IncrementalAlterConfigsEntry{r.Name: change}
	return nil, admin.IncrementalAlterConfig(sarama.TopicResource, r.Topic, changes, false)
}

func describeCluster(*request) (answer, error) {
	brokers, controller, err := admin.DescribeCluster()
	ids := []int32{}
	for _, broker := range brokers {
		ids = append(ids, broker.ID())
	}
	return answer{"controller": controller, "brokers": ids}, err
}

func deleteRecords(r *request) (answer, error) {
	return nil, admin.DeleteRecords(r.Topic, map[int32]int64{r.Partition: r.Before})
}

func listGroups(*request) (answer, error) {
	found, err := admin.ListConsumerGroups()
	names := []string{}
	for name := range found {
		names = append(names, name)
	}
	return answer{"groups": names}, err
}

func describeGroup(r *request) (answer, error) {
	found, err := admin.DescribeConsumerGroups([]string{r.Group})
	if err == nil {
		err = failed(found[0].Err)
	}
	if err != nil {
		return nil, err
	}
	list := []answer{}
	for _, m := range found[0].Members {
		assignment := map[string][]int32{}
		if assigned, err := m.GetMemberAssignment(); err == nil && assigned != nil {
			assignment = assigned.Topics
		}
		list = append(list, answer{"client": m.ClientId, "instance": m.GroupInstanceId, "assignment": assignment})
	}
	return answer{"state": found[0].State, "members": list}, nil
}

func groupOffsets(r *request) (answer, error) {
	found, err := admin.ListConsumerGroupOffsets(r.Group, nil)
	if err == nil {
		err = failed(found.Err)
	}
	places := map[int32]int64{}
	if err == nil {
		for partition, block := range found.Blocks[r.Topic] {
			places[partition] = block.Offset
		}
	}
	return answer{"offsets": places}, err
}

func setGroupOffsets(r *request) (answer, error) {
	places := map[int32]sarama.OffsetAndMetadata{}
	for partition, offset := range r.Offsets {
		places[partition] = sarama.OffsetAndMetadata{Offset: offset, LeaderEpoch: -1}
	}
	_, err := admin.AlterConsumerGroupOffsets(r.Group, map[string]map[int32]sarama.OffsetAndMetadata{r.Topic: places}, nil)
	return nil, err
}
