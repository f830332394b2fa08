package dev.cgan.nn;

/** What a forward pass is for. */
public enum Mode {
    /** Batch statistics are used and moving ones updated; dropout drops. */
    TRAINING,
    /** Moving statistics are used; dropout does nothing. */
    INFERENCE
}
