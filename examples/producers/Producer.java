import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Produces usage events with Apache Kafka's own client. Standard input: a line an event, the array's id, a tab, the event as structured
 * CloudEvents JSON. Its default partitioner is the one that Plimsoll expects: give each record its key, and set no partition.
 *
 * <p>java -cp 'kafka/libs/*' Producer.java BOOTSTRAP TOPIC < events.tsv
 */
public class Producer {
    public static void main(String[] arguments) throws Exception {
        var settings = new Properties();
        settings.put("bootstrap.servers", arguments[0]);
        settings.put("acks", "all");
        settings.put("enable.idempotence", "true");
        var acknowledged = new AtomicInteger();
        var sent = 0;
        var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try (var producer = new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
            for (var line = input.readLine(); line != null; line = input.readLine()) {
                var tab = line.indexOf('\t');
                var record = new ProducerRecord<>(arguments[1], line.substring(0, tab), line.substring(tab + 1));
                record.headers().add("content-type", "application/cloudevents+json".getBytes(StandardCharsets.UTF_8));
                sent++;
                producer.send(record, (metadata, error) -> {
                    if (error == null) {
                        acknowledged.incrementAndGet();
                    } else {
                        System.err.println(record.key() + ": " + error);
                    }
                });
            }
        }
        var missing = sent - acknowledged.get();
        if (missing > 0) {
            System.err.println(missing + " of " + sent + " events were not acknowledged: send them again with the same id and time, "
                + "Plimsoll accepts each once");
        }
        System.exit(missing == 0 ? 0 : 1);
    }
}
