package dev.cgan.gan;

/**
 * The images that a model is for.
 *
 * @param height rows of pixels
 * @param width columns of pixels
 * @param channels 1 for grey, 3 for colour
 * @param classes the number of labels, at least 1
 */
public record ImageShape(int height, int width, int channels, int classes) {
    /** Checks that all are positive. */
    public ImageShape {
        if (height < 1 || width < 1 || channels < 1 || classes < 1) {
            throw new IllegalArgumentException("images of " + height + "x" + width + "x" + channels + " in " + classes
                    + " classes: all must be positive");
        }
    }

    /**
     * Checks that both sides are multiples of a number.
     *
     * @param factor what the networks need
     * @param model the model's name, for the message
     * @throws IllegalArgumentException naming the size and the nearest one that is right
     */
    public void requireMultipleOf(int factor, String model) {
        if (height % factor != 0 || width % factor != 0) {
            throw new IllegalArgumentException(model + " needs images whose sides are multiples of " + factor + ", not "
                    + this + "; --image-size " + Math.max(factor, height / factor * factor)
                    + " resizes them");
        }
    }

    /** {@return such as {@code 28x28x1}} */
    @Override
    public String toString() {
        return height + "x" + width + "x" + channels;
    }
}
