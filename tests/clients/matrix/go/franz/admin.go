package main

import (
	"context"
	"errors"

	"github.com/twmb/franz-go/pkg/kadm"

	"milena/matrix/driver"
)

var adminVerbs = map[string]driver.Verb{
	"create_topic": createTopic, "delete_topic": deleteTopic, "list_topics": listTopics, "describe_topic": describeTopic,
	"create_partitions": createPartitions, "topic_config": topicConfig, "set_topic_config": setTopicConfig,
	"broker_config": brokerConfig, "describe_cluster": describeCluster, "delete_records": deleteRecords,
	"offsets": offsets, "list_groups": listGroups, "describe_group": describeGroup, "delete_group": deleteGroup,
	"group_offsets": groupOffsets, "set_group_offsets": setGroupOffsets, "delete_group_offsets": deleteGroupOffsets,
}

func background() context.Context {
	ctx, _ := timeout(30000) //nolint:govet // the process is short-lived
	return ctx
}

func createTopic(r *request) (answer, error) {
	response, err := admin.CreateTopic(background(), r.Partitions, 1, r.Config, r.Topic)
	if err == nil {
		err = response.Err
	}
	return nil, err
}

func deleteTopic(r *request) (answer, error) {
	response, err := admin.DeleteTopic(background(), r.Topic)
	if err == nil {
		err = response.Err
	}
	return nil, err
}

func listTopics(*request) (answer, error) {
	found, err := admin.ListTopics(background())
	return answer{"topics": found.Names()}, err
}

func describeTopic(r *request) (answer, error) {
	found, err := admin.ListTopics(background(), r.Topic)
	if err == nil {
		err = found[r.Topic].Err
	}
	list := []answer{}
	for _, p := range found[r.Topic].Partitions {
		list = append(list, answer{"id": p.Partition, "leader": p.Leader, "replicas": p.Replicas, "isr": p.ISR})
	}
	return answer{"partitions": list}, err
}

func createPartitions(r *request) (answer, error) {
	found, err := admin.UpdatePartitions(background(), r.Count, r.Topic)
	if err == nil {
		err = found[r.Topic].Err
	}
	return nil, err
}

func configAnswer(found kadm.ResourceConfigs, err error) (answer, error) {
	if err != nil {
		return nil, err
	}
	config := map[string]*string{}
	for _, resource := range found {
		if resource.Err != nil {
			return nil, resource.Err
		}
		for _, entry := range resource.Configs {
			config[entry.Key] = entry.Value
		}
	}
	return answer{"config": config}, nil
}

func topicConfig(r *request) (answer, error) {
	return configAnswer(admin.DescribeTopicConfigs(background(), r.Topic))
}

func brokerConfig(r *request) (answer, error) {
	return configAnswer(admin.DescribeBrokerConfigs(background(), r.Broker))
}

func setTopicConfig(r *request) (answer, error) {
	change := kadm.AlterConfig{Op: kadm.SetConfig, Name: r.Name, Value: r.Value}
	if r.Value == nil {
		change.Op = kadm.DeleteConfig
	}
	found, err := admin.AlterTopicConfigs(background(), []kadm.AlterConfig{change}, r.Topic)
	if err == nil {
		err = found[0].Err
	}
	return nil, err
}

func describeCluster(*request) (answer, error) {
	found, err := admin.BrokerMetadata(background())
	return answer{"controller": found.Controller, "brokers": found.Brokers.NodeIDs()}, err
}

func deleteRecords(r *request) (answer, error) {
	places := kadm.Offsets{}
	places.AddOffset(r.Topic, r.Partition, r.Before, -1)
	found, err := admin.DeleteRecords(background(), places)
	if err == nil {
		err = found[r.Topic][r.Partition].Err
	}
	return nil, err
}

func offsets(r *request) (answer, error) {
	var found kadm.ListedOffsets
	var err error
	switch r.At {
	case -2:
		found, err = admin.ListStartOffsets(background(), r.Topic)
	case -1:
		found, err = admin.ListEndOffsets(background(), r.Topic)
	default:
		found, err = admin.ListOffsetsAfterMilli(background(), r.At, r.Topic)
	}
	if err == nil {
		err = found.Error()
	}
	places := map[int32]int64{}
	found.Each(func(o kadm.ListedOffset) { places[o.Partition] = o.Offset })
	return answer{"offsets": places}, err
}

func listGroups(*request) (answer, error) {
	found, err := admin.ListGroups(background())
	return answer{"groups": found.Groups()}, err
}

func describeGroup(r *request) (answer, error) {
	found, err := admin.DescribeGroups(background(), r.Group)
	if err == nil {
		err = found[r.Group].Err
	}
	if err != nil {
		return nil, err
	}
	list := []answer{}
	for _, m := range found[r.Group].Members {
		assignment := map[string][]int32{}
		if assigned, ok := m.Assigned.AsConsumer(); ok {
			for _, topic := range assigned.Topics {
				assignment[topic.Topic] = topic.Partitions
			}
		}
		list = append(list, answer{"client": m.ClientID, "instance": m.InstanceID, "assignment": assignment})
	}
	return answer{"state": found[r.Group].State, "members": list}, nil
}

func deleteGroup(r *request) (answer, error) {
	found, err := admin.DeleteGroup(background(), r.Group)
	if err == nil {
		err = found.Err
	}
	return nil, err
}

func groupOffsets(r *request) (answer, error) {
	found, err := admin.FetchOffsets(background(), r.Group)
	if err == nil {
		err = found.Error()
	}
	places := map[int32]int64{}
	for partition, offset := range found[r.Topic] {
		places[partition] = offset.At
	}
	return answer{"offsets": places}, err
}

func setGroupOffsets(r *request) (answer, error) {
	places := kadm.Offsets{}
	for partition, offset := range r.Offsets {
		places.AddOffset(r.Topic, partition, offset, -1)
	}
	return nil, admin.CommitAllOffsets(background(), r.Group, places)
}

func deleteGroupOffsets(r *request) (answer, error) {
	which := kadm.TopicsSet{}
	which.Add(r.Topic, r.Partition)
	found, err := admin.DeleteOffsets(background(), r.Group, which)
	if err == nil {
		err = errors.Join(found.Error())
	}
	return nil, err
}
