package dev.cgan.io;

/** A setting makes no sense. The message names the key, the value and what is allowed. */
public final class ConfigException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    /**
     * Creates the exception.
     *
     * @param message the key, the value and what is allowed, in one line
     */
    public ConfigException(String message) {
        super(message);
    }

    /**
     * Creates the exception with the failure that revealed the mistake.
     *
     * @param message the key, the value and what is allowed, in one line
     * @param cause the underlying failure
     */
    public ConfigException(String message, Throwable cause) {
        super(message, cause);
    }
}
