package dev.cgan.io;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The checkpoints of a run: the last K, {@code step-00003000.safetensors}, and the best, {@code best.safetensors}. A
 * process killed at any moment leaves only whole files, and possibly one temporary one, which the next run removes.
 */
public final class CheckpointStore {
    private static final Pattern NAME = Pattern.compile("step-(\\d{8,18})\\.safetensors");

    private final Path folder;
    private final int keep;
    private double bestScore;

    private CheckpointStore(Path folder, int keep, double bestScore) {
        this.folder = folder;
        this.keep = keep;
        this.bestScore = bestScore;
    }

    /** Writes a checkpoint. */
    @FunctionalInterface
    public interface Writer {
        /**
         * Writes the file, atomically, as {@link SafetensorsWriter#write} does.
         *
         * @param file its name
         * @throws IOException if the file system refuses
         */
        void write(Path file) throws IOException;
    }

    /**
     * Reads a checkpoint far enough to trust it.
     *
     * @param <T> what it gives
     */
    @FunctionalInterface
    public interface Reader<T> {
        /**
         * Reads the file.
         *
         * @param file its name
         * @return what it holds
         * @throws IOException if it is damaged
         */
        T read(Path file) throws IOException;
    }

    /**
     * Opens the checkpoints of a run.
     *
     * @param folder an existing folder; no other process may be writing there
     * @param keep how many of the newest to keep, at least 1
     * @return the store, after removing temporary files that a killed process left
     * @throws IOException if the folder cannot be read
     */
    public static CheckpointStore open(Path folder, int keep) throws IOException {
        if (keep < 1) {
            throw new IllegalArgumentException("cannot keep the last " + keep + " checkpoints; keep at least 1");
        }
        AtomicFiles.removeStale(folder);
        return new CheckpointStore(folder, keep, readScore(scoreFile(folder)));
    }

    /**
     * Saves a checkpoint, makes it the best if its score is the lowest so far, and removes the oldest beyond the last K.
     *
     * @param step after which step
     * @param score lower is better; NaN if unknown, which is never best
     * @param writer writes the file
     * @return the file
     * @throws IOException if the file system refuses; the older checkpoints are still there then
     */
    public Path save(long step, double score, Writer writer) throws IOException {
        Path file = file(step);
        writer.write(file);
        if (score < bestScore) {
            AtomicFiles.link(file, best(folder));
            ConfigFile.write(scoreFile(folder), Map.of("step", step, "score", score));
            bestScore = score;
        }
        List<Path> files = list(folder);
        for (Path old : files.subList(0, Math.max(0, files.size() - keep))) {
            Files.deleteIfExists(old);
        }
        return file;
    }

    /**
     * Removes the checkpoints after a step, when a run goes on from that step.
     *
     * @param step the last one to keep
     * @throws IOException if the file system refuses
     */
    public void removeAfter(long step) throws IOException {
        for (Path file : list(folder)) {
            if (step(file) > step) {
                Files.deleteIfExists(file);
            }
        }
    }

    /**
     * {@return the file that a step's checkpoint has}
     *
     * @param step the step
     */
    public Path file(long step) {
        return folder.resolve(String.format(Locale.ROOT, "step-%08d.safetensors", step));
    }

    /**
     * Lists the checkpoints of a folder, oldest step first, without the best.
     *
     * @param folder the folder of checkpoints
     * @return the files
     * @throws IOException if the folder cannot be read
     */
    public static List<Path> list(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(
                            file -> NAME.matcher(file.getFileName().toString()).matches())
                    .sorted(Comparator.comparingLong(CheckpointStore::step))
                    .toList();
        }
    }

    /**
     * Finds the best checkpoint.
     *
     * @param folder the folder of checkpoints
     * @return the file, empty if none has had a score
     */
    public static Optional<Path> findBest(Path folder) {
        return Optional.of(best(folder)).filter(Files::isRegularFile);
    }

    /**
     * Reads the newest checkpoint that can be read.
     *
     * @param <T> what the reader gives
     * @param folder the folder of checkpoints
     * @param reader throws {@link InvalidFileException} for a damaged one, which is then passed over
     * @return what the reader gave
     * @throws InvalidFileException if there is none, naming what is wrong with the newest
     * @throws IOException if reading fails otherwise
     */
    public static <T> T readNewest(Path folder, Reader<T> reader) throws IOException {
        List<InvalidFileException> damaged = new ArrayList<>();
        for (Path file : list(folder).reversed()) {
            try {
                return reader.read(file);
            } catch (InvalidFileException e) {
                damaged.add(e);
            }
        }
        if (damaged.isEmpty()) {
            throw new InvalidFileException(folder, "no checkpoint", "train longer, or save more often");
        }
        InvalidFileException none = new InvalidFileException(
                folder,
                "none of its " + damaged.size() + " checkpoints can be read; the newest, "
                        + damaged.getFirst().path().getFileName() + ": "
                        + damaged.getFirst().what(),
                damaged.getFirst().remedy());
        damaged.forEach(none::addSuppressed);
        throw none;
    }

    /**
     * {@return after which step a checkpoint was made, by its name}
     *
     * @param file a file of {@link #list}
     */
    public static long step(Path file) {
        Matcher matcher = NAME.matcher(file.getFileName().toString());
        if (!matcher.matches()) {
            throw new IllegalArgumentException(file + " is not named like a checkpoint");
        }
        return Long.parseLong(matcher.group(1));
    }

    private static Path best(Path folder) {
        return folder.resolve("best.safetensors");
    }

    private static Path scoreFile(Path folder) {
        return folder.resolve("best.json");
    }

    private static double readScore(Path file) throws IOException {
        if (!Files.exists(file)) {
            return Double.POSITIVE_INFINITY;
        }
        try {
            return Json.number(ConfigFile.read(file).get("score"));
        } catch (InvalidFileException | IllegalArgumentException e) {
            // Not written by us, or edited: the next checkpoint with a score becomes the best.
            return Double.POSITIVE_INFINITY;
        }
    }
}
