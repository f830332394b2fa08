package dev.cgan.data;

import dev.cgan.io.InvalidFileException;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * The IDX format of MNIST: two zero bytes, a type, the number of dimensions, big-endian dimensions, then the elements.
 * Plain or compressed by gzip, which is recognised by the content, not by the name.
 *
 * <p>Format: Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits", section "File formats".
 */
public final class Idx {
    private static final int UNSIGNED_BYTE = 0x08;
    private static final int LABELS = 0x0801;
    private static final int GREY_IMAGES = 0x0803;
    private static final int COLOR_IMAGES = 0x0804;
    private static final int MAX_SIDE = 16_384;
    private static final String DAMAGED = "download or copy the file again";

    private Idx() {}

    /**
     * Reads a file of images and, if there is one, its file of labels.
     *
     * @param images an IDX file of unsigned bytes with 3 dimensions (count, rows, columns) or 4 (and 1 or 3 channels)
     * @param labels an IDX file of unsigned bytes with one dimension, or null for an unlabelled data set
     * @param classNames the names of the classes, or null to have as many as the labels need, named by number
     * @return the data set
     * @throws InvalidFileException if a file is missing, of another kind, truncated or oversized, if there are not as
     *     many labels as images, or if a label is out of range
     * @throws IOException if reading fails
     */
    public static MemoryDataset read(Path images, Path labels, List<String> classNames) throws IOException {
        String name = images.getFileName().toString();
        if (labels == null) {
            try (InputStream in = open(images)) {
                return read(name, in, images, null, null, classNames);
            }
        }
        try (InputStream in = open(images);
                InputStream labelIn = open(labels)) {
            return read(name, in, images, labelIn, labels, classNames);
        }
    }

    /**
     * Reads images and labels from streams, for example from resources.
     *
     * @param name what messages call the data set
     * @param images the content of the image file, read to its end and perhaps closed
     * @param imagePath what messages call the image file
     * @param labels the content of the label file, treated alike, or null
     * @param labelPath what messages call the label file, or null
     * @param classNames as for {@link #read(Path, Path, List)}
     * @return the data set
     * @throws IOException as {@link #read(Path, Path, List)}
     */
    public static MemoryDataset read(
            String name,
            InputStream images,
            Path imagePath,
            InputStream labels,
            Path labelPath,
            List<String> classNames)
            throws IOException {
        Images header;
        PixelStore pixels;
        try (Content content = Content.of(imagePath, images)) {
            header = content.images();
            pixels = content.elements(header.bytes(), header.toString());
        }
        int[] classes = new int[header.count()];
        if (labels == null) {
            List<String> names = classNames == null ? List.of("all") : classNames;
            return new MemoryDataset(name, header.rows(), header.columns(), header.channels(), names, pixels, classes);
        }
        PixelStore labelBytes;
        try (Content content = Content.of(labelPath, labels)) {
            int count = content.labels();
            if (count != header.count()) {
                throw new InvalidFileException(
                        labelPath,
                        count + " labels for the " + header.count() + " images of " + imagePath,
                        "pair each image file with its own label file");
            }
            labelBytes = content.elements(count, count + " labels");
        }
        List<String> names = fill(classes, labelBytes, labelPath, classNames);
        return new MemoryDataset(name, header.rows(), header.columns(), header.channels(), names, pixels, classes);
    }

    private static List<String> fill(int[] classes, PixelStore bytes, Path path, List<String> classNames)
            throws InvalidFileException {
        byte[] all = new byte[classes.length];
        bytes.read(0, all, 0, all.length);
        int largest = 0;
        for (int row = 0; row < all.length; row++) {
            classes[row] = all[row] & 0xff;
            largest = Math.max(largest, classes[row]);
            if (classNames != null && classes[row] >= classNames.size()) {
                throw new InvalidFileException(
                        path,
                        "label " + classes[row] + " of image " + row + " is out of range 0 to "
                                + (classNames.size() - 1),
                        "check that the labels belong to this data set");
            }
        }
        if (classNames != null) {
            return classNames;
        }
        List<String> names = new ArrayList<>();
        for (int i = 0; i <= largest; i++) {
            names.add(Integer.toString(i));
        }
        return names;
    }

    private static InputStream open(Path path) throws IOException {
        if (Files.isDirectory(path)) {
            throw new InvalidFileException(path, "it is a folder, not an IDX file", "name the file itself");
        }
        try {
            return Files.newInputStream(path);
        } catch (NoSuchFileException e) {
            throw new InvalidFileException(path, "no such file", "check the path", e);
        }
    }

    private record Images(int count, int rows, int columns, int channels) {
        long bytes() {
            return (long) count * rows * columns * channels;
        }

        @Override
        public String toString() {
            return count + " images of " + rows + "x" + columns + (channels == 1 ? "" : "x" + channels);
        }
    }

    /** One file's bytes after decompression, with the messages that reading them can give. */
    private record Content(Path path, InputStream in, boolean compressed) implements AutoCloseable {
        static Content of(Path path, InputStream raw) throws IOException {
            BufferedInputStream in = new BufferedInputStream(raw, 1 << 16);
            in.mark(2);
            boolean gzip = in.read() == 0x1f && in.read() == 0x8b;
            in.reset();
            if (!gzip) {
                return new Content(path, in, false);
            }
            try {
                return new Content(path, new GZIPInputStream(in, 1 << 16), true);
            } catch (EOFException | ZipException e) {
                throw damaged(path, e);
            }
        }

        Images images() throws IOException {
            int magic = magic();
            if (magic == LABELS) {
                throw wrongKind("a label file (magic 0x00000801), not an image file (0x00000803)");
            }
            if (magic != GREY_IMAGES && magic != COLOR_IMAGES) {
                throw wrongMagic(magic, "an image file begins with 0x00000803, or 0x00000804 for colour");
            }
            Images images = new Images(integer(), integer(), integer(), magic == COLOR_IMAGES ? integer() : 1);
            boolean sane = images.count() >= 1
                    && images.rows() >= 1
                    && images.rows() <= MAX_SIDE
                    && images.columns() >= 1
                    && images.columns() <= MAX_SIDE
                    && (images.channels() == 1 || images.channels() == 3);
            if (!sane) {
                throw new InvalidFileException(
                        path,
                        "its header promises " + Integer.toUnsignedString(images.count()) + " images of "
                                + Integer.toUnsignedString(images.rows()) + "x"
                                + Integer.toUnsignedString(images.columns()) + "x"
                                + Integer.toUnsignedString(images.channels()),
                        "use at least one image, of 1 to " + MAX_SIDE + " pixels a side, with 1 or 3 channels");
            }
            MemoryBudget.require(path, images.bytes());
            return images;
        }

        int labels() throws IOException {
            int magic = magic();
            if (magic == GREY_IMAGES || magic == COLOR_IMAGES) {
                throw wrongKind("an image file (magic 0x%08x), not a label file (0x00000801)".formatted(magic));
            }
            if (magic != LABELS) {
                throw wrongMagic(magic, "a label file begins with 0x00000801");
            }
            return integer();
        }

        PixelStore elements(long bytes, String promised) throws IOException {
            PixelStore store = new PixelStore();
            long read;
            boolean more;
            try {
                read = store.append(in, bytes);
                more = read == bytes && in.read() >= 0;
            } catch (EOFException | ZipException e) {
                throw damaged(path, e);
            }
            if (read < bytes) {
                throw new InvalidFileException(
                        path, "truncated: " + promised + " take " + bytes + " bytes, " + read + " are there", DAMAGED);
            }
            if (more) {
                throw new InvalidFileException(path, "oversized: bytes follow the last of " + promised, DAMAGED);
            }
            return store;
        }

        private int magic() throws IOException {
            int magic = integer();
            int type = magic >>> 8;
            if (magic >>> 16 == 0 && type != UNSIGNED_BYTE && type >= 0x09 && type <= 0x0e) {
                throw new InvalidFileException(
                        path,
                        "IDX elements of type 0x%02x, only 0x08 (unsigned bytes) are supported".formatted(type),
                        "convert them to unsigned bytes");
            }
            return magic;
        }

        private int integer() throws IOException {
            byte[] bytes;
            try {
                bytes = in.readNBytes(4);
            } catch (EOFException | ZipException e) {
                throw damaged(path, e);
            }
            if (bytes.length < 4) {
                throw new InvalidFileException(path, "truncated: it ends inside its header", DAMAGED);
            }
            return ByteBuffer.wrap(bytes).getInt();
        }

        private InvalidFileException wrongKind(String what) {
            return new InvalidFileException(path, "mislabelled: " + what, "give the images first, then the labels");
        }

        private InvalidFileException wrongMagic(int magic, String expected) {
            return new InvalidFileException(
                    path,
                    "not an IDX file: it begins with 0x%08x, %s".formatted(magic, expected),
                    "check that it is the right file");
        }

        private static InvalidFileException damaged(Path path, IOException e) {
            String what = e instanceof EOFException ? "truncated gzip file" : "corrupt gzip file: " + e.getMessage();
            return new InvalidFileException(path, what, DAMAGED, e);
        }

        @Override
        public void close() throws IOException {
            if (compressed) {
                in.close(); // frees the decompressor's native memory at once
            }
        }
    }
}
