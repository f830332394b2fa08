package dev.cgan.image;

/**
 * An 8-bit image in memory.
 *
 * @param height rows
 * @param width columns
 * @param channels 1 (grey) or 3 (red, green, blue)
 * @param data unsigned bytes in the order row, column, channel; not copied
 */
public record Pixels(int height, int width, int channels, byte[] data) {
    /** Checks that the data has the size that the extents demand. */
    public Pixels {
        if (height < 1 || width < 1 || (channels != 1 && channels != 3)) {
            throw new IllegalArgumentException("no image is " + height + "x" + width + "x" + channels);
        }
        if (data.length != Math.multiplyExact(Math.multiplyExact(height, width), channels)) {
            throw new IllegalArgumentException(
                    height + "x" + width + "x" + channels + " pixels do not fit " + data.length + " bytes");
        }
    }

    /**
     * Converts between grey and colour.
     *
     * @param wanted 1 or 3
     * @return this image with that many channels; grey is the luma of ITU-R BT.601
     */
    public Pixels withChannels(int wanted) {
        if (wanted == channels) {
            return this;
        }
        int count = height * width;
        byte[] out = new byte[Math.multiplyExact(count, wanted)];
        for (int i = 0; i < count; i++) {
            if (wanted == 3) {
                out[3 * i] = data[i];
                out[3 * i + 1] = data[i];
                out[3 * i + 2] = data[i];
            } else {
                int red = data[3 * i] & 0xff;
                int green = data[3 * i + 1] & 0xff;
                int blue = data[3 * i + 2] & 0xff;
                out[i] = (byte) ((299 * red + 587 * green + 114 * blue + 500) / 1000);
            }
        }
        return new Pixels(height, width, wanted, out);
    }
}
