import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.DescribeClusterResult;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.config.ConfigResource;

/** What an administrator asks, with one Admin for all. */
final class AdminVerbs {
    private final Admin admin;

    AdminVerbs(Properties settings) {
        admin = Admin.create(settings);
    }

    ObjectNode serve(JsonNode r) throws Exception {
        String topic = r.path("topic").asText();
        String group = r.path("group").asText();
        TopicPartition partition = new TopicPartition(topic, r.path("partition").asInt());
        switch (r.get("verb").asText()) {
            case "create_topic": return createTopic(topic, r);
            case "delete_topic": admin.deleteTopics(List.of(topic)).all().get(); return null;
            case "list_topics": return names("topics", admin.listTopics().names().get());
            case "describe_topic": return describeTopic(topic);
            case "create_partitions":
                admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(r.get("count").asInt()))).all().get();
                return null;
            case "topic_config": return config(new ConfigResource(ConfigResource.Type.TOPIC, topic));
            case "broker_config": return config(new ConfigResource(ConfigResource.Type.BROKER, r.get("broker").asText()));
            case "set_topic_config": return setTopicConfig(topic, r);
            case "describe_cluster": return describeCluster();
            case "delete_records":
                admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(r.get("before").asLong()))).all().get();
                return null;
            case "list_groups":
                return names("groups", admin.listConsumerGroups().all().get().stream().map(g -> g.groupId()).toList());
            case "describe_group": return describeGroup(group);
            case "delete_group": admin.deleteConsumerGroups(List.of(group)).all().get(); return null;
            case "group_offsets": return groupOffsets(group, topic);
            case "set_group_offsets": return setGroupOffsets(group, topic, r);
            case "delete_group_offsets":
                admin.deleteConsumerGroupOffsets(group, Set.of(partition)).all().get();
                return null;
            default: throw new IllegalArgumentException("no verb " + r.get("verb"));
        }
    }

    private static ObjectNode names(String field, Collection<String> names) {
        ObjectNode answer = MatrixDriver.JSON.createObjectNode();
        ArrayNode list = answer.putArray(field);
        names.forEach(list::add);
        return answer;
    }

    private ObjectNode createTopic(String topic, JsonNode r) throws Exception {
        Map<String, String> config = new HashMap<>();
        r.get("config").fields().forEachRemaining(entry -> config.put(entry.getKey(), entry.getValue().asText()));
        NewTopic wanted = new NewTopic(topic, r.get("partitions").asInt(), (short) 1).configs(config);
        admin.createTopics(List.of(wanted)).all().get();
        return null;
    }

    private ObjectNode describeTopic(String topic) throws Exception {
        ObjectNode answer = MatrixDriver.JSON.createObjectNode();
        ArrayNode list = answer.putArray("partitions");
        for (TopicPartitionInfo info : admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions()) {
            ObjectNode one = list.addObject().put("id", info.partition()).put("leader", info.leader().id());
            ArrayNode replicas = one.putArray("replicas");
            info.replicas().forEach(node -> replicas.add(node.id()));
            ArrayNode isr = one.putArray("isr");
            info.isr().forEach(node -> isr.add(node.id()));
        }
        return answer;
    }

    private ObjectNode config(ConfigResource resource) throws Exception {
        Config found = admin.describeConfigs(List.of(resource)).all().get().get(resource);
        ObjectNode answer = MatrixDriver.JSON.createObjectNode();
        ObjectNode config = answer.putObject("config");
        found.entries().forEach(entry -> config.put(entry.name(), entry.value()));
        return answer;
    }

    private ObjectNode setTopicConfig(String topic, JsonNode r) throws Exception {
        boolean set = r.hasNonNull("value");
        AlterConfigOp change = new AlterConfigOp(new ConfigEntry(r.get("name").asText(), set ? r.get("value").asText() : null),
            set ? AlterConfigOp.OpType.SET : AlterConfigOp.OpType.DELETE);
        admin.incrementalAlterConfigs(Map.of(new ConfigResource(ConfigResource.Type.TOPIC, topic), List.of(change)))
            .all().get();
        return null;
    }

    private ObjectNode describeCluster() throws Exception {
        DescribeClusterResult found = admin.describeCluster();
        ObjectNode answer = MatrixDriver.JSON.createObjectNode().put("controller", found.controller().get().id());
        ArrayNode brokers = answer.putArray("brokers");
        for (Node node : found.nodes().get()) {
            brokers.add(node.id());
        }
        return answer;
    }

    private ObjectNode describeGroup(String group) throws Exception {
        ConsumerGroupDescription found = admin.describeConsumerGroups(List.of(group)).all().get().get(group);
        ObjectNode answer = MatrixDriver.JSON.createObjectNode().put("state", found.state().toString());
        ArrayNode members = answer.putArray("members");
        for (MemberDescription member : found.members()) {
            ObjectNode one = members.addObject().put("client", member.clientId());
            one.put("instance", member.groupInstanceId().orElse(null));
            ObjectNode assignment = one.putObject("assignment");
            member.assignment().topicPartitions().forEach(partition ->
                assignment.withArray("/" + partition.topic()).add(partition.partition()));
        }
        return answer;
    }

    private ObjectNode groupOffsets(String group, String topic) throws Exception {
        ObjectNode answer = MatrixDriver.JSON.createObjectNode();
        ObjectNode offsets = answer.putObject("offsets");
        admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().forEach((partition, place) -> {
            if (partition.topic().equals(topic)) {
                offsets.put("" + partition.partition(), place == null ? -1 : place.offset());
            }
        });
        return answer;
    }

    private ObjectNode setGroupOffsets(String group, String topic, JsonNode r) throws Exception {
        Map<TopicPartition, OffsetAndMetadata> places = new HashMap<>();
        r.get("offsets").fields().forEachRemaining(place -> places.put(
            new TopicPartition(topic, Integer.parseInt(place.getKey())), new OffsetAndMetadata(place.getValue().asLong())));
        admin.alterConsumerGroupOffsets(group, places).all().get();
        return null;
    }
}
