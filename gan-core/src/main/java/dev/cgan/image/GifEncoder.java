package dev.cgan.image;

import java.io.IOException;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * Writes an animated GIF (GIF89a) frame by frame. A frame of at most 256 colours is kept exactly; others are dithered to
 * 6 x 7 x 6 levels of red, green and blue.
 */
final class GifEncoder {
    private static final int LARGEST_CODE = 4095;
    private static final int[] LEVELS = {6, 7, 6};

    /** Thresholds of ordered dithering (Bayer 1973), in sixteenths. */
    private static final int[] BAYER = {0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5};

    private final OutputStream out;
    private final int width;
    private final int height;

    GifEncoder(OutputStream out, int width, int height) throws IOException {
        if (width > 0xffff || height > 0xffff) {
            throw new IllegalArgumentException("a GIF cannot be " + width + "x" + height);
        }
        this.out = out;
        this.width = width;
        this.height = height;
        text("GIF89a");
        word(width);
        word(height);
        out.write(new byte[] {0x70, 0, 0}); // no global palette
        text("!\u00ff\u000bNETSCAPE2.0\u0003\u0001"); // the extension that says how often to repeat
        word(0); // for ever
        out.write(0);
    }

    /** Adds a frame that is shown for {@code milliseconds}, in steps of ten. */
    void frame(Canvas picture, int milliseconds) throws IOException {
        if (picture.width() != width || picture.height() != height) {
            throw new IllegalArgumentException("a frame of " + picture.width() + "x" + picture.height()
                    + " in an animation of " + width + "x" + height);
        }
        byte[] indices = new byte[width * height];
        int[] palette = exact(picture, indices);
        if (palette == null) {
            palette = dither(picture, indices);
        }
        int bits = Math.max(1, 32 - Integer.numberOfLeadingZeros(palette.length - 1));
        text("!\u00f9\u0004\u0004");
        word(Math.max(2, milliseconds / 10));
        word(0);
        out.write(',');
        word(0);
        word(0);
        word(width);
        word(height);
        out.write(0x80 | bits - 1);
        for (int i = 0; i < 1 << bits; i++) {
            int color = i < palette.length ? palette[i] : 0;
            out.write(color >> 16);
            out.write(color >> 8);
            out.write(color);
        }
        new Lzw(Math.max(2, bits)).encode(indices);
    }

    /** Ends the file, without closing the stream. */
    void finish() throws IOException {
        out.write(';');
    }

    /** {@return the colours of the picture, or null if there are more than 256} */
    private int[] exact(Canvas picture, byte[] indices) {
        Map<Integer, Integer> seen = new HashMap<>();
        for (int i = 0; i < indices.length; i++) {
            Integer index = seen.computeIfAbsent(picture.rgb(i % width, i / width), color -> seen.size());
            if (index > 255) {
                return null;
            }
            indices[i] = (byte) (int) index;
        }
        int[] palette = new int[seen.size()];
        seen.forEach((color, index) -> palette[index] = color);
        return palette;
    }

    private int[] dither(Canvas picture, byte[] indices) {
        int[] palette = new int[LEVELS[0] * LEVELS[1] * LEVELS[2]];
        for (int i = 0; i < palette.length; i++) {
            int red = i / (LEVELS[1] * LEVELS[2]) * 255 / (LEVELS[0] - 1);
            int green = i / LEVELS[2] % LEVELS[1] * 255 / (LEVELS[1] - 1);
            int blue = i % LEVELS[2] * 255 / (LEVELS[2] - 1);
            palette[i] = red << 16 | green << 8 | blue;
        }
        for (int i = 0; i < indices.length; i++) {
            int x = i % width;
            int y = i / width;
            int color = picture.rgb(x, y);
            double threshold = (BAYER[y % 4 * 4 + x % 4] + 0.5) / 16;
            int index = 0;
            for (int c = 0; c < 3; c++) {
                double level = (color >> (16 - 8 * c) & 0xff) / 255.0 * (LEVELS[c] - 1);
                index = index * LEVELS[c] + Math.min(LEVELS[c] - 1, (int) (level + threshold));
            }
            indices[i] = (byte) index;
        }
        return palette;
    }

    private void text(String characters) throws IOException {
        for (int i = 0; i < characters.length(); i++) {
            out.write(characters.charAt(i));
        }
    }

    private void word(int value) throws IOException {
        out.write(value);
        out.write(value >> 8);
    }

    /** Lempel, Ziv and Welch's compression with codes of growing width, in blocks of at most 255 bytes. */
    private final class Lzw {
        private final int rootBits;
        private final short[] children = new short[(LARGEST_CODE + 1) << 8];
        private final byte[] block = new byte[255];
        private int blockLength;
        private int bits;
        private int bitCount;
        private int codeBits;
        private int nextCode;

        Lzw(int rootBits) {
            this.rootBits = rootBits;
        }

        void encode(byte[] indices) throws IOException {
            out.write(rootBits);
            int clear = 1 << rootBits;
            reset();
            code(clear);
            int prefix = indices[0] & 0xff;
            for (int i = 1; i < indices.length; i++) {
                int symbol = indices[i] & 0xff;
                int child = children[prefix << 8 | symbol];
                if (child != 0) {
                    prefix = child;
                    continue;
                }
                code(prefix);
                if (nextCode > LARGEST_CODE) {
                    code(clear);
                    reset();
                } else {
                    children[prefix << 8 | symbol] = (short) nextCode;
                    if (nextCode == 1 << codeBits) {
                        codeBits++;
                    }
                    nextCode++;
                }
                prefix = symbol;
            }
            code(prefix);
            if (nextCode <= LARGEST_CODE && nextCode == 1 << codeBits) {
                codeBits++;
            }
            code(clear + 1);
            flush();
        }

        private void reset() {
            Arrays.fill(children, (short) 0);
            codeBits = rootBits + 1;
            nextCode = (1 << rootBits) + 2;
        }

        private void code(int code) throws IOException {
            bits |= code << bitCount;
            bitCount += codeBits;
            while (bitCount >= 8) {
                put();
                bits >>>= 8;
                bitCount -= 8;
            }
        }

        private void put() throws IOException {
            block[blockLength++] = (byte) bits;
            if (blockLength == block.length) {
                writeBlock();
            }
        }

        private void writeBlock() throws IOException {
            out.write(blockLength);
            out.write(block, 0, blockLength);
            blockLength = 0;
        }

        private void flush() throws IOException {
            if (bitCount > 0) {
                put();
            }
            if (blockLength > 0) {
                writeBlock();
            }
            out.write(0);
        }
    }
}
