package dev.cgan.io;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;

/**
 * The figures of a run in a file of JSON lines, one object a step, with at least {@code step}.
 *
 * <p>Each line is handed to the operating system when it is appended, so a killed process loses at most the line that it
 * was writing. Readers ignore such a torn last line. Values that JSON lacks are the strings {@code "NaN"}, {@code
 * "Infinity"} and {@code "-Infinity"}; {@link Json#number} reads both forms.
 */
public final class MetricsLog implements AutoCloseable {
    private static final int LONGEST_LINE = 1 << 20;

    private final Path path;
    private final FileOutputStream out;

    private MetricsLog(Path path, FileOutputStream out) {
        this.path = path;
        this.out = out;
    }

    /** Receives the lines of a log. */
    @FunctionalInterface
    public interface Visitor {
        /**
         * Receives one line.
         *
         * @param step its step
         * @param figures all its values
         * @return whether to go on
         */
        boolean visit(long step, Map<String, Object> figures);
    }

    /**
     * Starts an empty log.
     *
     * @param path the file, replaced if it exists
     * @return the log
     * @throws IOException if the file cannot be written
     */
    public static MetricsLog create(Path path) throws IOException {
        return open(path, false);
    }

    /**
     * Goes on with a log after a step; everything behind it, and a torn last line, is cut off.
     *
     * @param path the file, created if it does not exist
     * @param step the last step to keep
     * @return the log
     * @throws InvalidFileException if a line before that is damaged
     * @throws IOException if the file cannot be written
     */
    public static MetricsLog resume(Path path, long step) throws IOException {
        if (Files.exists(path)) {
            long keep = scan(path, (at, figures) -> at <= step);
            try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
                channel.truncate(keep);
            } catch (IOException e) {
                throw AtomicFiles.explain(path, -1, e);
            }
        }
        return open(path, true);
    }

    /**
     * Reads a log, also one that is being written.
     *
     * @param path the file
     * @param visitor receives the lines in order
     * @throws InvalidFileException if a line is damaged that is not the last
     * @throws IOException if reading fails
     */
    public static void read(Path path, Visitor visitor) throws IOException {
        scan(path, visitor);
    }

    /**
     * Appends the figures of a step.
     *
     * @param figures with a {@code step}; values as {@link Json#write} takes them
     * @throws FileWriteException if the file system refuses
     */
    public void append(Map<String, ?> figures) throws IOException {
        if (!(figures.get("step") instanceof Number)) {
            throw new IllegalArgumentException("a line of metrics needs a step: " + Json.write(figures));
        }
        byte[] line = (Json.write(figures) + "\n").getBytes(StandardCharsets.UTF_8);
        try {
            out.write(line);
        } catch (IOException e) {
            throw AtomicFiles.explain(path, line.length, e);
        }
    }

    @Override
    public void close() throws IOException {
        out.close();
    }

    private static MetricsLog open(Path path, boolean append) throws IOException {
        try {
            return new MetricsLog(path, new FileOutputStream(path.toFile(), append));
        } catch (IOException e) {
            throw AtomicFiles.explain(path, -1, e);
        }
    }

    /** {@return the length of the lines that the visitor wanted} */
    private static long scan(Path path, Visitor visitor) throws IOException {
        long end = 0;
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        try (InputStream in = new BufferedInputStream(Files.newInputStream(path), 1 << 16)) {
            for (int number = 1; ; number++) {
                line.reset();
                int next = in.read();
                while (next >= 0 && next != '\n' && line.size() < LONGEST_LINE) {
                    line.write(next);
                    next = in.read();
                }
                if (next < 0) {
                    return end; // the last line has no end: it is torn, or there is none
                }
                Map<?, ?> figures = parse(line.toString(StandardCharsets.UTF_8));
                if (figures == null && in.read() < 0) {
                    return end;
                }
                if (figures == null) {
                    throw new InvalidFileException(
                            path, "line " + number + " is not a JSON object with a step", "remove that line");
                }
                if (!visitor.visit((Long) figures.get("step"), strings(figures))) {
                    return end;
                }
                end += line.size() + 1;
            }
        }
    }

    private static Map<?, ?> parse(String line) {
        try {
            return Json.parse(line) instanceof Map<?, ?> map && map.get("step") instanceof Long ? map : null;
        } catch (Json.SyntaxException e) {
            return null;
        }
    }

    @SuppressWarnings("unchecked") // Json's objects have string keys.
    private static Map<String, Object> strings(Map<?, ?> map) {
        return (Map<String, Object>) map;
    }
}
