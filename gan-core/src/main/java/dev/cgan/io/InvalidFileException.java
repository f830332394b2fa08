package dev.cgan.io;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;

/**
 * A file does not hold what its format or its reader demands: truncated, corrupt, of another kind, or contradicting
 * itself. The message is one line, {@code path: what; remedy}.
 */
public final class InvalidFileException extends IOException {
    private static final long serialVersionUID = 1L;

    private final transient Path path;
    /** What is wrong with the file. */
    private final String what;

    /** What the user can do. */
    private final String remedy;

    /**
     * Creates the exception.
     *
     * @param path the file, as the user named it
     * @param what what is wrong with it, with the values found and expected
     * @param remedy what the user can do
     */
    public InvalidFileException(Path path, String what, String remedy) {
        this(path, what, remedy, null);
    }

    /**
     * Creates the exception with the failure that revealed the fault.
     *
     * @param path the file, as the user named it
     * @param what what is wrong with it, with the values found and expected
     * @param remedy what the user can do
     * @param cause the underlying failure, or null
     */
    public InvalidFileException(Path path, String what, String remedy, Throwable cause) {
        super(path + ": " + what + "; " + remedy, cause);
        this.path = Objects.requireNonNull(path);
        this.what = what;
        this.remedy = remedy;
    }

    /** {@return the file} */
    public Path path() {
        return path;
    }

    /** {@return what is wrong with the file} */
    public String what() {
        return what;
    }

    /** {@return what the user can do} */
    public String remedy() {
        return remedy;
    }
}
