package dev.cgan.bindings;

/** libcgan could not be found, opened or used. The message lists every attempt with its reason, and the remedy. */
public final class NativeLoadException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** Makes the exception with its whole message. */
    public NativeLoadException(String message) {
        super(message);
    }
}
