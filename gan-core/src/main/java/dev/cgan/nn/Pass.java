package dev.cgan.nn;

/**
 * What a forward pass needs to know beside its input.
 *
 * @param mode training or inference
 * @param random where dropout draws from; null is allowed for inference
 */
public record Pass(Mode mode, RandomSource random) {
    private static final Pass INFERENCE = new Pass(Mode.INFERENCE, null);

    /** Checks that training has a source of random numbers. */
    public Pass {
        if (mode == Mode.TRAINING && random == null) {
            throw new IllegalArgumentException("a training pass needs a source of random numbers");
        }
    }

    /** {@return a pass that uses moving statistics and drops nothing} */
    public static Pass inference() {
        return INFERENCE;
    }

    /** {@return a pass that trains} */
    public static Pass training(RandomSource random) {
        return new Pass(Mode.TRAINING, random);
    }

    /** {@return whether this pass trains} */
    public boolean isTraining() {
        return mode == Mode.TRAINING;
    }
}
