package dev.cgan.io;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;

/**
 * Writes files so that a reader sees the old content or the whole new content, never a part, whatever is killed when.
 *
 * <p>The content goes to a temporary file in the same folder, is forced to the device, and is renamed over the target;
 * then the folder itself is forced. A failure removes the temporary file; only a killed process can leave one, which
 * {@link #removeStale} deletes later.
 */
public final class AtomicFiles {
    private static final String PREFIX = ".cgan-";
    private static final String SUFFIX = ".tmp";
    private static final int BUFFER_BYTES = 1 << 16;

    private AtomicFiles() {}

    /** Writes the whole content of a file. */
    @FunctionalInterface
    public interface Body {
        /**
         * Writes the content.
         *
         * @param channel an empty file, positioned at its start; the callee does not close it
         * @throws IOException if writing fails; nothing is left behind
         */
        void writeTo(FileChannel channel) throws IOException;
    }

    /** Writes the whole content of a file as a stream. */
    @FunctionalInterface
    public interface StreamBody {
        /**
         * Writes the content.
         *
         * @param out a buffered stream that the caller flushes and closes
         * @throws IOException if writing fails; nothing is left behind
         */
        void writeTo(OutputStream out) throws IOException;
    }

    /**
     * Writes a file through a channel.
     *
     * @param target the file; its folder must exist
     * @param expectedBytes the size that the content will have, for the message when the disk is full; -1 if unknown
     * @param body writes the content
     * @throws FileWriteException if the file system refuses, with the reason and the remedy
     * @throws IOException if {@code body} fails for a reason of its own
     */
    public static void write(Path target, long expectedBytes, Body body) throws IOException {
        Path folder = folderOf(target);
        Path temporary = folder.resolve(temporaryName(target));
        boolean done = false;
        try {
            try (FileChannel channel =
                    FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                body.writeTo(channel);
                channel.force(true);
            }
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            done = true;
            forceFolder(folder);
        } catch (FileWriteException e) {
            throw e;
        } catch (IOException e) {
            throw explain(target, expectedBytes, e);
        } finally {
            if (!done) {
                deleteQuietly(temporary);
            }
        }
    }

    /**
     * Writes a file through a buffered stream.
     *
     * @param target the file; its folder must exist
     * @param body writes the content
     * @throws IOException as {@link #write}
     */
    public static void writeStream(Path target, StreamBody body) throws IOException {
        write(target, -1, channel -> {
            OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel), BUFFER_BYTES);
            body.writeTo(out);
            out.flush();
        });
    }

    /**
     * Writes bytes.
     *
     * @param target the file; its folder must exist
     * @param bytes the whole content
     * @throws IOException as {@link #write}
     */
    public static void writeBytes(Path target, byte[] bytes) throws IOException {
        write(target, bytes.length, channel -> {
            ByteBuffer buffer = ByteBuffer.wrap(bytes);
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
        });
    }

    /**
     * Writes text as UTF-8.
     *
     * @param target the file; its folder must exist
     * @param text the whole content
     * @throws IOException as {@link #write}
     */
    public static void writeString(Path target, String text) throws IOException {
        writeBytes(target, text.getBytes(StandardCharsets.UTF_8));
    }

    /**
     * Gives a file a second name that replaces the target atomically: a hard link, or a copy where links do not exist.
     *
     * @param source an existing file that is never modified in place
     * @param target the other name, in an existing folder
     * @throws IOException as {@link #write}
     */
    public static void link(Path source, Path target) throws IOException {
        Path temporary = folderOf(target).resolve(temporaryName(target));
        try {
            Files.createLink(temporary, source);
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            forceFolder(folderOf(target));
        } catch (UnsupportedOperationException | FileSystemException e) {
            copy(source, target);
        } finally {
            // Renaming one link over another link of the same file does nothing, so the temporary name may remain.
            deleteQuietly(temporary);
        }
    }

    /**
     * Deletes the temporary files that killed processes left in a folder. Call it only when no other process writes
     * there.
     *
     * @param folder an existing folder
     * @return the files deleted
     * @throws IOException if the folder cannot be listed or a file not deleted
     */
    public static List<Path> removeStale(Path folder) throws IOException {
        List<Path> stale;
        try (Stream<Path> files = Files.list(folder)) {
            stale = files.filter(AtomicFiles::isTemporary).sorted().toList();
        }
        for (Path file : stale) {
            Files.deleteIfExists(file);
        }
        return stale;
    }

    /**
     * {@return whether a file is one of this class's temporary files, judged by its name}
     *
     * @param file any path
     */
    public static boolean isTemporary(Path file) {
        String name = String.valueOf(file.getFileName());
        return name.startsWith(PREFIX) && name.endsWith(SUFFIX);
    }

    /**
     * Turns a failure to write into a message that a user can act on.
     *
     * @param target the file that was to be written
     * @param expectedBytes the size that it needed, or -1
     * @param cause what the file system said
     * @return the exception to throw: a {@link FileWriteException}, or the cause itself if it is none of ours
     */
    public static IOException explain(Path target, long expectedBytes, IOException cause) {
        if (cause instanceof InvalidFileException
                || cause instanceof FileWriteException
                || cause instanceof ClosedByInterruptException) {
            return cause;
        }
        String reason = String.valueOf(cause.getMessage());
        if (reason.contains("No space left")
                || reason.contains("quota exceeded")
                || reason.contains("not enough space")) {
            String needed = expectedBytes < 0 ? "" : ", needs " + expectedBytes + " bytes";
            return new FileWriteException(
                    target,
                    "disk full" + needed + ", " + freeBytes(target) + " bytes free",
                    "free some space or write to another disk",
                    cause);
        }
        if (cause instanceof AccessDeniedException || reason.contains("Read-only file system")) {
            return new FileWriteException(
                    target, "folder " + folderOf(target) + " is not writable", "choose a folder that is", cause);
        }
        if (cause instanceof NoSuchFileException && Files.isDirectory(folderOf(target))) {
            return new FileWriteException(
                    target, "folder " + folderOf(target) + " takes no files", "choose another folder", cause);
        }
        if (cause instanceof NoSuchFileException) {
            return new FileWriteException(
                    target, "folder " + folderOf(target) + " does not exist", "create it first", cause);
        }
        if (Files.isDirectory(target)) {
            return new FileWriteException(target, "it is a folder", "name a file", cause);
        }
        String detail = cause instanceof FileSystemException fs && fs.getReason() != null ? fs.getReason() : reason;
        return new FileWriteException(target, detail, "check the path and the disk", cause);
    }

    private static void copy(Path source, Path target) throws IOException {
        write(target, Files.size(source), channel -> {
            try (FileChannel from = FileChannel.open(source, StandardOpenOption.READ)) {
                long size = from.size();
                for (long done = 0; done < size; ) {
                    done += from.transferTo(done, size - done, channel);
                }
            }
        });
    }

    private static String temporaryName(Path target) {
        long random = ThreadLocalRandom.current().nextLong();
        String name = target.getFileName().toString();
        // File systems limit a name to 255 bytes; the temporary name must fit whenever the target's does.
        String stem = name.substring(0, Math.min(name.length(), 40));
        return PREFIX + stem + "-" + Long.toHexString(random) + SUFFIX;
    }

    private static Path folderOf(Path target) {
        return target.toAbsolutePath().getParent();
    }

    private static void forceFolder(Path folder) {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException e) {
            // Some systems cannot open or force a folder; the rename itself has succeeded.
        }
    }

    private static void deleteQuietly(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            // The failure that led here is the one to report.
        }
    }

    /** Asks for the folder itself: a FileStore is looked up among the mounts, and a chroot's root is none of them. */
    private static long freeBytes(Path target) {
        return folderOf(target).toFile().getUsableSpace();
    }
}
