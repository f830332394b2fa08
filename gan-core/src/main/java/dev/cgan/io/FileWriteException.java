package dev.cgan.io;

import java.io.IOException;
import java.nio.file.Path;

/** A file could not be written: disk full, no permission, no such folder. The message is one line with the remedy. */
public final class FileWriteException extends IOException {
    private static final long serialVersionUID = 1L;

    private final transient Path path;

    /**
     * Creates the exception.
     *
     * @param path the file that was to be written
     * @param what what went wrong
     * @param remedy what the user can do
     * @param cause the underlying failure, or null
     */
    public FileWriteException(Path path, String what, String remedy, Throwable cause) {
        super("cannot write " + path + ": " + what + "; " + remedy, cause);
        this.path = path;
    }

    /** {@return the file that was to be written} */
    public Path path() {
        return path;
    }
}
