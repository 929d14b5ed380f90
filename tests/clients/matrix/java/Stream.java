import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;

/** An idempotent producer of "0", "1", ... on a thread of its own, slow enough for the node to restart meanwhile. */
final class Stream {
    private final List<String> failed = new ArrayList<>();
    private int acked;

    Stream(JsonNode request) {
        String topic = request.get("topic").asText();
        int count = request.get("count").asInt();
        int partitions = request.get("partitions").asInt();
        KafkaProducer<byte[], byte[]> producer = MatrixDriver.producer(request, true);
        new Thread(() -> {
            for (int i = 0; i < count; i++) {
                byte[] value = Integer.toString(i).getBytes(StandardCharsets.UTF_8);
                producer.send(new ProducerRecord<>(topic, i % partitions, null, value), (where, error) -> done(error));
                pause(i);
            }
            producer.close();
        }).start();
    }

    private static void pause(int number) {
        try {
            Thread.sleep(number % 5 == 0 ? 5 : 0);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized void done(Exception error) {
        if (error == null) {
            acked++;
        } else {
            failed.add(error.toString());
        }
    }

    synchronized ObjectNode status() {
        ObjectNode answer = MatrixDriver.JSON.createObjectNode().put("acked", acked);
        ArrayNode list = answer.putArray("failed");
        failed.forEach(list::add);
        return answer;
    }
}
