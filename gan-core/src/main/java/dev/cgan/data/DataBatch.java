package dev.cgan.data;

/**
 * The images and labels of one step, on the host. An instance is a buffer that can be filled again and again.
 */
public final class DataBatch {
    private final byte[] pixels;
    private final int[] labels;
    private long step;

    /**
     * Allocates a buffer.
     *
     * @param size images in the batch
     * @param imageBytes bytes of an image
     */
    public DataBatch(int size, int imageBytes) {
        pixels = new byte[Math.multiplyExact(size, imageBytes)];
        labels = new int[size];
    }

    /** {@return unsigned bytes [size, height, width, channels]; the buffer itself} */
    public byte[] pixels() {
        return pixels;
    }

    /** {@return the classes [size]; the buffer itself} */
    public int[] labels() {
        return labels;
    }

    /** {@return the number of images} */
    public int size() {
        return labels.length;
    }

    /** {@return the step for which it was last filled, 0 if never} */
    public long step() {
        return step;
    }

    void setStep(long step) {
        this.step = step;
    }
}
