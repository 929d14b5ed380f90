import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs the main() of Apache Kafka's console tools one after the other in one JVM, because a JVM's start costs more
 * than most calls. One call per line of stdin, fields separated by tabs:
 *
 *   class  stdin-file or "-"  stdout-file  stderr-file  argument...
 *
 * and the exit status as a line on stdout. The tools end by Kafka's Exit class, which is told to throw instead. Some
 * catch that as they catch everything; so the first exit is the one that counts, and nothing is printed after it.
 * What they leave to a hook at the JVM's end (the console producer's last flush) is run after each call.
 */
public class KafkaTools {
    static final class Ended extends RuntimeException {
        final int status;

        Ended(int status) {
            super("exit " + status, null, false, false);
            this.status = status;
        }
    }

    static final List<Runnable> shutdownHooks = new ArrayList<>();
    static Integer firstExit;

    static void exit(int status) {
        if (firstExit == null) {
            firstExit = status;
            System.setOut(new PrintStream(OutputStream.nullOutputStream()));
            System.setErr(new PrintStream(OutputStream.nullOutputStream()));
        }
        throw new Ended(firstExit);
    }

    public static void main(String[] ignored) throws Exception {
        PrintStream replies = System.out;
        Exit.setExitProcedure((status, message) -> exit(status));
        Exit.setHaltProcedure((status, message) -> exit(status));
        Exit.setShutdownHookAdder((name, hook) -> shutdownHooks.add(hook));
        BufferedReader calls = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = calls.readLine(); line != null; line = calls.readLine()) {
            String[] fields = line.split("\t", -1);
            replies.println(call(fields));
            replies.flush();
        }
        Runtime.getRuntime().halt(0);
    }

    static int call(String[] fields) throws Exception {
        InputStream input = fields[1].equals("-") ? InputStream.nullInputStream()
            : new ByteArrayInputStream(Files.readAllBytes(Path.of(fields[1])));
        try (PrintStream out = new PrintStream(new FileOutputStream(fields[2]), true, "UTF-8");
             PrintStream err = new PrintStream(new FileOutputStream(fields[3]), true, "UTF-8")) {
            System.setIn(input);
            System.setOut(out);
            System.setErr(err);
            int status = status(fields[0], Arrays.copyOfRange(fields, 4, fields.length), err);
            shutdownHooks.forEach(Runnable::run);
            shutdownHooks.clear();
            return status;
        }
    }

    static int status(String tool, String[] arguments, PrintStream err) throws Exception {
        firstExit = null;
        try {
            Class.forName(tool).getMethod("main", String[].class).invoke(null, (Object) arguments);
            return firstExit == null ? 0 : firstExit;
        } catch (InvocationTargetException wrapped) {
            if (firstExit != null) {
                return firstExit;
            }
            wrapped.getCause().printStackTrace(err);
            return 1;
        }
    }
}
