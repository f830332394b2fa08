package dev.cgan.io;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The folder that holds everything of one training run, so that the run can be moved, resumed, sampled and compared from
 * it alone.
 *
 * <pre>
 * config.json      settings          samples/0050.png ...     pictures
 * metrics.jsonl    one line a step   checkpoints/             weights and optimizers
 * losses.png       curves            trace/                   what the first steps drew, if asked for
 * training.gif     the pictures in motion
 * </pre>
 */
public final class RunDirectory {
    private static final Pattern NUMBERED = Pattern.compile("(\\d{4,9})-.*");
    private static final int LONGEST_NAME = 60;
    private static final String LOCK = ".lock";

    private final Path path;

    private RunDirectory(Path path) {
        this.path = path;
    }

    /**
     * Creates a folder with the next number, such as {@code runs/0007-cgan-mnist}. Safe against other processes that do
     * the same at the same time: no number is given twice.
     *
     * @param runs the folder of all runs, created if it does not exist
     * @param name what the run is; characters that file names should not have become {@code -}
     * @return the new, empty run
     * @throws FileWriteException if the folder cannot be created
     */
    public static RunDirectory create(Path runs, String name) throws IOException {
        createFolders(runs);
        synchronized (RunDirectory.class) {
            // A lock of the file system excludes other processes, the monitor other threads of this one.
            try (FileChannel channel = openLock(runs.resolve(LOCK));
                    FileLock lock = channel.lock()) {
                assert lock.isValid();
                for (int number = largestNumber(runs) + 1; ; number++) {
                    Path folder = runs.resolve(String.format(Locale.ROOT, "%04d-%s", number, sanitized(name)));
                    try {
                        return filled(Files.createDirectory(folder));
                    } catch (FileAlreadyExistsException e) {
                        continue;
                    }
                }
            } catch (IOException e) {
                throw AtomicFiles.explain(runs.resolve(name), -1, e);
            }
        }
    }

    /**
     * Creates a run in a folder that the user chose.
     *
     * @param folder must not exist, or be empty
     * @return the new run
     * @throws FileWriteException if the folder is taken or cannot be created
     */
    public static RunDirectory createAt(Path folder) throws IOException {
        if (Files.exists(folder) && !Files.isDirectory(folder)) {
            throw new FileWriteException(folder, "it is a file", "name a folder", null);
        }
        createFolders(folder);
        try (Stream<Path> content = Files.list(folder)) {
            if (content.findAny().isPresent()) {
                String what =
                        Files.exists(folder.resolve("config.json")) ? "it already holds a run" : "it is not empty";
                throw new FileWriteException(folder, what, "name a new folder, or resume the run that is there", null);
            }
        } catch (AccessDeniedException e) {
            throw new FileWriteException(folder, "it is not readable", "choose a folder that is", e);
        }
        return filled(folder);
    }

    /**
     * Opens the folder of an existing run.
     *
     * @param folder the folder
     * @return the run
     * @throws InvalidFileException if it is not a run
     */
    public static RunDirectory open(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            String what = Files.exists(folder) ? "it is a file, not the folder of a run" : "no such run";
            throw new InvalidFileException(folder, what, "name the folder that `train` printed, such as runs/0001-...");
        }
        RunDirectory run = new RunDirectory(folder);
        if (!Files.isRegularFile(run.config())) {
            throw new InvalidFileException(
                    folder, "not the folder of a run: it has no config.json", "name the folder that `train` printed");
        }
        return run;
    }

    /**
     * Claims the run for this process, so that no two train in it at once.
     *
     * @return to be closed when training is over; the end of the process closes it too
     * @throws FileWriteException if another process, or another thread of this one, holds it
     */
    public Claim claim() throws IOException {
        FileChannel channel = openLock(path.resolve(LOCK));
        try {
            FileLock lock = channel.tryLock();
            if (lock != null) {
                return new Claim(channel);
            }
        } catch (OverlappingFileLockException e) {
            // Held by this process: reported below like any other holder.
        }
        channel.close();
        throw new FileWriteException(path, "another process is training in it", "wait for its end or stop it", null);
    }

    /** A claim of {@link RunDirectory#claim}. */
    public static final class Claim implements AutoCloseable {
        private final FileChannel channel;

        private Claim(FileChannel channel) {
            this.channel = channel;
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }

    /** {@return the folder} */
    public Path path() {
        return path;
    }

    /** {@return the file of settings} */
    public Path config() {
        return path.resolve("config.json");
    }

    /** {@return the file of figures, one JSON object a step} */
    public Path metrics() {
        return path.resolve("metrics.jsonl");
    }

    /** {@return the folder of pictures} */
    public Path samples() {
        return path.resolve("samples");
    }

    /**
     * {@return the picture of a step, such as {@code samples/0050.png}}
     *
     * @param step the step, padded to four digits
     */
    public Path sample(long step) {
        return samples().resolve(String.format(Locale.ROOT, "%04d.png", step));
    }

    /** {@return the folder of checkpoints} */
    public Path checkpoints() {
        return path.resolve("checkpoints");
    }

    /** {@return the folder of what the first steps drew; created by who writes there} */
    public Path trace() {
        return path.resolve("trace");
    }

    /** {@return the choices that {@code kernels=auto} made, if it did} */
    public Path plan() {
        return path.resolve("plan.txt");
    }

    /** {@return the picture of the curves} */
    public Path losses() {
        return path.resolve("losses.png");
    }

    /** {@return the pictures in motion} */
    public Path animation() {
        return path.resolve("training.gif");
    }

    @Override
    public String toString() {
        return path.toString();
    }

    private static RunDirectory filled(Path folder) throws IOException {
        RunDirectory run = new RunDirectory(folder);
        createFolders(run.samples());
        createFolders(run.checkpoints());
        return run;
    }

    private static void createFolders(Path folder) throws IOException {
        try {
            Files.createDirectories(folder);
        } catch (FileAlreadyExistsException e) {
            throw new FileWriteException(folder, "there is a file of that name", "choose another folder", e);
        } catch (IOException e) {
            throw AtomicFiles.explain(folder, -1, e);
        }
    }

    private static FileChannel openLock(Path file) throws IOException {
        try {
            return FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        } catch (IOException e) {
            throw AtomicFiles.explain(file, -1, e);
        }
    }

    private static int largestNumber(Path runs) throws IOException {
        try (Stream<Path> folders = Files.list(runs)) {
            return folders.map(folder -> NUMBERED.matcher(folder.getFileName().toString()))
                    .filter(Matcher::matches)
                    .mapToInt(matcher -> Integer.parseInt(matcher.group(1)))
                    .max()
                    .orElse(0);
        }
    }

    private static String sanitized(String name) {
        String clean = name.replaceAll("[^A-Za-z0-9._-]+", "-").replaceAll("^[-.]+|-+$", "");
        return clean.substring(0, Math.min(clean.length(), LONGEST_NAME));
    }
}
