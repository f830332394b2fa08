package dev.cgan.autograd;

import dev.cgan.tensor.Recording;

/**
 * While open, operators of this thread are not recorded, so their results cannot be differentiated:
 *
 * <pre>{@code
 * try (NoGrad _ = new NoGrad()) {
 *     images = generator.apply(noise, Pass.inference());
 * }
 * }</pre>
 */
public final class NoGrad implements AutoCloseable {
    private final boolean before = Recording.set(false);
    private boolean open = true;

    /** Switches recording off for this thread. */
    public NoGrad() {}

    /** Sets recording to what it was before. Closing again does nothing. */
    @Override
    public void close() {
        if (open) {
            open = false;
            Recording.set(before);
        }
    }
}
