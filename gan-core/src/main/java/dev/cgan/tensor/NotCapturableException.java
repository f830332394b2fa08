package dev.cgan.tensor;

/** What was to be captured cannot be: the message says why. Nothing of it has run. */
public final class NotCapturableException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** Says why. */
    public NotCapturableException(String why) {
        super(why);
    }

    NotCapturableException(Throwable cause) {
        super(cause.getMessage().lines().findFirst().orElse("no reason"), cause);
    }
}
