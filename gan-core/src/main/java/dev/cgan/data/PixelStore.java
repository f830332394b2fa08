package dev.cgan.data;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * A byte array that grows page by page as data arrives: it can exceed two gigabytes, and never holds more than a page
 * beyond what was really there, whatever a header promised.
 */
final class PixelStore {
    private static final int PAGE_BYTES = 1 << 20;

    private final List<byte[]> pages = new ArrayList<>();
    private long size;

    long size() {
        return size;
    }

    /** Appends up to {@code count} bytes of a stream; fewer only if it ends. {@return how many} */
    long append(InputStream in, long count) throws IOException {
        long done = 0;
        while (done < count) {
            int read = in.read(page(), offset(), (int) Math.min(count - done, PAGE_BYTES - offset()));
            if (read < 0) {
                break;
            }
            size += read;
            done += read;
        }
        return done;
    }

    void append(byte[] bytes) {
        for (int done = 0; done < bytes.length; ) {
            int part = Math.min(bytes.length - done, PAGE_BYTES - offset());
            System.arraycopy(bytes, done, page(), offset(), part);
            size += part;
            done += part;
        }
    }

    void read(long from, byte[] destination, int offset, int count) {
        Objects.checkFromIndexSize(offset, count, destination.length);
        Objects.checkFromIndexSize(from, count, size);
        for (int done = 0; done < count; ) {
            int within = (int) ((from + done) % PAGE_BYTES);
            int part = Math.min(count - done, PAGE_BYTES - within);
            System.arraycopy(pages.get((int) ((from + done) / PAGE_BYTES)), within, destination, offset + done, part);
            done += part;
        }
    }

    private int offset() {
        return (int) (size % PAGE_BYTES);
    }

    private byte[] page() {
        if (offset() == 0 && size / PAGE_BYTES == pages.size()) {
            pages.add(new byte[PAGE_BYTES]);
        }
        return pages.getLast();
    }
}
