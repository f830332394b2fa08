package dev.cgan.metric;

/**
 * Something in a run that a person should know.
 *
 * @param kind what it is about
 * @param step the step at which it was noticed
 * @param text what was seen, with figures, and what to do: one sentence or two
 */
public record Warning(Kind kind, long step, String text) {
    /** What a warning is about. */
    public enum Kind {
        /** A loss is NaN or infinite; training must stop. */
        NON_FINITE,
        /** The discriminator tells real from generated without fail. */
        DISCRIMINATOR_WON,
        /** The discriminator tells nothing apart. */
        DISCRIMINATOR_IDLE,
        /** Generated images are nearly alike. */
        COLLAPSED,
        /** Generated images have stopped changing. */
        STUCK
    }

    /** {@return whether training cannot go on} */
    public boolean isFatal() {
        return kind == Kind.NON_FINITE;
    }
}
