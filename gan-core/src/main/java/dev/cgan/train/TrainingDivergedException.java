package dev.cgan.train;

import java.nio.file.Path;
import java.util.Optional;

/** A loss or a parameter is not a finite number any more. The newest checkpoint was written before that and is good. */
public final class TrainingDivergedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final long step;

    /**
     * Words the message.
     *
     * @param step the step in which it showed
     * @param what what is not finite, such as {@code d_loss is NaN}
     * @param checkpoint the newest good checkpoint
     */
    TrainingDivergedException(long step, String what, Optional<Path> checkpoint) {
        super("training diverged at step " + step + ": " + what + "; "
                + checkpoint
                        .map(file -> "the last good checkpoint is " + file + ": resume it with")
                        .orElse("start again with")
                + " a lower learning rate or another objective");
        this.step = step;
    }

    /** {@return the step in which it showed} */
    public long step() {
        return step;
    }
}
