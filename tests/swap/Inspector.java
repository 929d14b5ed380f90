// Kafka's own tools, run in this JVM: StorageTool, DumpLogSegments over every file of a stopped server's log directory,
// MetadataQuorumCommand and FeatureCommand against a running one.
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.*;
import java.util.regex.Pattern;
import kafka.tools.StorageTool;
import org.apache.kafka.common.utils.Exit;
import org.apache.kafka.tools.DumpLogSegments;
import org.apache.kafka.tools.FeatureCommand;
import org.apache.kafka.tools.MetadataQuorumCommand;

final class Inspector {
    private static final Pattern COMPLAINT = Pattern.compile("(?m)^.*(isvalid: false|Mismatch|mismatch|out of order|"
        + "invalid|Error|Exception|Could not|Failed).*$|^ *[0-9]+ is followed by.*$");
    private static final Set<String> KINDS = Set.of("log", "index", "timeindex", "txnindex", "snapshot", "checkpoint");

    interface Main {
        void run(String[] args) throws Exception;
    }

    private static String run(Main main, List<String> args) throws Exception {
        PrintStream out = System.out, err = System.err;
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        PrintStream capture = new PrintStream(text, true, StandardCharsets.UTF_8);
        Exit.setExitProcedure((status, message) -> {
            if (status != 0) throw new IllegalStateException("exit " + status + " " + message);
            throw new NormalEnd();
        });
        System.setOut(capture);
        System.setErr(capture);
        try {
            main.run(args.toArray(new String[0]));
        } catch (NormalEnd e) {
            // the tool's own way to end
        } catch (Exception | Error e) {
            throw new IllegalStateException(args + ": " + e + "\n" + text.toString(StandardCharsets.UTF_8), e);
        } finally {
            System.setOut(out);
            System.setErr(err);
            Exit.resetExitProcedure();
        }
        return text.toString(StandardCharsets.UTF_8);
    }

    private static final class NormalEnd extends Error { }

    /** FILE CLUSTER [--standalone]: formats the directories that the server.properties names. */
    static void format(List<String> words) throws Exception {
        List<String> args = new ArrayList<>(List.of("format", "-c", words.get(0), "-t", words.get(1)));
        args.addAll(words.subList(2, words.size()));
        run(StorageTool::main, args);
    }

    /**
     * How many files of all log directories the tool read without a complaint. Left out: deleted partitions,
     * which Kafka does not trim, and "-1 is followed by" some offset, which the tool says of every segment but the first.
     */
    static int dump(List<String> logDirs) throws Exception {
        int count = 0;
        List<String> complaints = new ArrayList<>();
        for (String logDir : logDirs)
            for (File dir : new File(logDir).listFiles(f -> f.isDirectory() && !f.getName().endsWith("-delete"))) {
                List<String> files = new ArrayList<>();
                for (File f : dir.listFiles())
                    if (KINDS.contains(f.getName().substring(f.getName().lastIndexOf('.') + 1))) files.add(f.getPath());
                if (files.isEmpty()) continue;
                Collections.sort(files);
                count += files.size();
                String said = run(DumpLogSegments::main, arguments(dir.getName(), files));
                var found = COMPLAINT.matcher(said);
                while (found.find() && complaints.size() < 10) complaints.add(dir.getName() + ": " + found.group());
            }
        if (!complaints.isEmpty()) throw new IllegalStateException("DumpLogSegments: " + String.join("\n", complaints));
        return count;
    }

    private static List<String> arguments(String dir, List<String> files) {
        List<String> args = new ArrayList<>(List.of("--files", String.join(",", files), "--deep-iteration"));
        if (dir.startsWith("__cluster_metadata-")) args.add("--cluster-metadata-decoder");
        else if (dir.startsWith("__consumer_offsets-")) args.add("--offsets-decoder");
        else if (dir.startsWith("__transaction_state-")) args.add("--transaction-log-decoder");
        return args;
    }

    /** The cluster's own tools say one leader, one voter, and the same features whoever serves. */
    static String cluster(String bootstrap) throws Exception {
        List<String> describe = List.of("--bootstrap-server", bootstrap, "describe");
        String status = run(MetadataQuorumCommand::main, with(describe, "--status"));
        String replication = run(MetadataQuorumCommand::main, with(describe, "--replication"));
        if (!Pattern.compile("LeaderId: +1\\b").matcher(status).find() || !replication.contains("Leader"))
            throw new IllegalStateException("MetadataQuorumCommand: " + status + replication);
        String features = run(FeatureCommand::main, describe);
        StringBuilder finalized = new StringBuilder();
        for (String line : features.split("\n")) {
            String[] words = line.trim().split("\\s+");
            if (words.length > 5 && words[0].equals("Feature:"))
                finalized.append(words[1]).append('=').append(finalLevel(words)).append(' ');
        }
        if (!finalized.toString().contains("metadata.version="))
            throw new IllegalStateException("FeatureCommand: " + features);
        return finalized.toString().trim();
    }

    private static List<String> with(List<String> words, String more) {
        List<String> all = new ArrayList<>(words);
        all.add(more);
        return all;
    }

    private static String finalLevel(String[] words) {
        for (int i = 0; i + 1 < words.length; i++)
            if (words[i].equals("FinalizedVersionLevel:")) return words[i + 1];
        return "?";
    }
}
