package dev.cgan.image;

import dev.cgan.io.AtomicFiles;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.zip.CRC32;
import java.util.zip.Deflater;

/**
 * Writes PNG files (ISO/IEC 15948), as 8-bit grey if the picture has no colour, else as RGB. Each row takes the filter
 * that leaves the smallest sum of absolute differences, as the standard recommends.
 */
public final class PngFiles {
    private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    private static final int FILTERS = 5;

    private PngFiles() {}

    /**
     * Writes a picture, atomically.
     *
     * @param file the file; its folder must exist
     * @param picture the picture
     * @throws IOException if the file system refuses
     */
    public static void write(Path file, Canvas picture) throws IOException {
        AtomicFiles.writeBytes(file, encode(picture));
    }

    /**
     * Encodes a picture.
     *
     * @param picture the picture
     * @return the content of a PNG file
     */
    public static byte[] encode(Canvas picture) {
        int channels = picture.isGrey() ? 1 : 3;
        ByteBuffer header = ByteBuffer.allocate(13).putInt(picture.width()).putInt(picture.height());
        header.put((byte) 8).put((byte) (channels == 1 ? 0 : 2));
        byte[] data = deflate(filtered(picture, channels));
        ByteArrayOutputStream out = new ByteArrayOutputStream(data.length + 64);
        out.writeBytes(SIGNATURE);
        chunk(out, "IHDR", header.array());
        chunk(out, "IDAT", data);
        chunk(out, "IEND", new byte[0]);
        return out.toByteArray();
    }

    private static void chunk(ByteArrayOutputStream out, String type, byte[] data) {
        ByteBuffer chunk = ByteBuffer.allocate(12 + data.length);
        chunk.putInt(data.length).put(type.getBytes(StandardCharsets.US_ASCII)).put(data);
        CRC32 crc = new CRC32();
        crc.update(chunk.array(), 4, 4 + data.length);
        out.writeBytes(chunk.putInt((int) crc.getValue()).array());
    }

    private static byte[] deflate(byte[] raw) {
        Deflater deflater = new Deflater(Deflater.DEFAULT_COMPRESSION);
        try {
            deflater.setInput(raw);
            deflater.finish();
            ByteArrayOutputStream out = new ByteArrayOutputStream(raw.length / 4 + 64);
            byte[] buffer = new byte[1 << 14];
            while (!deflater.finished()) {
                out.write(buffer, 0, deflater.deflate(buffer));
            }
            return out.toByteArray();
        } finally {
            deflater.end();
        }
    }

    private static byte[] filtered(Canvas picture, int channels) {
        int stride = picture.width() * channels;
        byte[] out = new byte[Math.multiplyExact(stride + 1, picture.height())];
        byte[] above = new byte[stride];
        byte[] row = new byte[stride];
        byte[] candidate = new byte[stride];
        for (int y = 0; y < picture.height(); y++) {
            samples(picture, y, channels, row);
            int at = y * (stride + 1);
            long best = Long.MAX_VALUE;
            for (int filter = 0; filter < FILTERS; filter++) {
                long cost = filter(filter, row, above, channels, candidate);
                if (cost < best) {
                    best = cost;
                    out[at] = (byte) filter;
                    System.arraycopy(candidate, 0, out, at + 1, stride);
                }
            }
            byte[] swapped = above;
            above = row;
            row = swapped;
        }
        return out;
    }

    private static void samples(Canvas picture, int y, int channels, byte[] row) {
        for (int x = 0; x < picture.width(); x++) {
            int rgb = picture.rgb(x, y);
            for (int c = 0; c < channels; c++) {
                row[x * channels + c] = (byte) (rgb >> (16 - 8 * c));
            }
        }
    }

    /** {@return the sum of the absolute values of the filtered row} */
    private static long filter(int filter, byte[] row, byte[] above, int channels, byte[] out) {
        long sum = 0;
        for (int i = 0; i < row.length; i++) {
            int left = i < channels ? 0 : row[i - channels] & 0xff;
            int up = above[i] & 0xff;
            int corner = i < channels ? 0 : above[i - channels] & 0xff;
            int predicted = switch (filter) {
                case 0 -> 0;
                case 1 -> left;
                case 2 -> up;
                case 3 -> (left + up) / 2;
                default -> paeth(left, up, corner);
            };
            out[i] = (byte) (row[i] - predicted);
            sum += Math.abs(out[i]);
        }
        return sum;
    }

    private static int paeth(int left, int up, int corner) {
        int toLeft = Math.abs(up - corner);
        int toUp = Math.abs(left - corner);
        int toCorner = Math.abs(left + up - 2 * corner);
        if (toLeft <= toUp && toLeft <= toCorner) {
            return left;
        }
        return toUp <= toCorner ? up : corner;
    }
}
