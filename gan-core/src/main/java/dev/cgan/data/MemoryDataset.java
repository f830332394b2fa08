package dev.cgan.data;

import dev.cgan.image.Pixels;
import java.util.List;
import java.util.Objects;

/** A data set held in memory as unsigned bytes. Immutable. */
public final class MemoryDataset implements Dataset {
    private final String name;
    private final int height;
    private final int width;
    private final int channels;
    private final List<String> classNames;
    private final PixelStore pixels;
    private final int[] labels;

    MemoryDataset(
            String name,
            int height,
            int width,
            int channels,
            List<String> classNames,
            PixelStore pixels,
            int[] labels) {
        this.name = name;
        this.height = height;
        this.width = width;
        this.channels = channels;
        this.classNames = List.copyOf(classNames);
        this.pixels = pixels;
        this.labels = labels;
        check();
    }

    /**
     * Makes a data set of an application's own images.
     *
     * @param name what messages call it
     * @param images at least one image, all of one size and number of channels
     * @param labels the class of each image; copied
     * @param classNames the names of the classes
     * @return the data set, which has copied the pixels
     * @throws IllegalArgumentException if images differ in size, counts differ or a label has no class
     */
    public static MemoryDataset of(String name, List<Pixels> images, int[] labels, List<String> classNames) {
        if (images.isEmpty()) {
            throw new IllegalArgumentException(name + ": a data set needs at least one image");
        }
        Pixels first = images.getFirst();
        PixelStore store = new PixelStore();
        for (Pixels image : images) {
            if (image.height() != first.height()
                    || image.width() != first.width()
                    || image.channels() != first.channels()) {
                throw new IllegalArgumentException(name
                        + ": images differ in size, %dx%dx%d and %dx%dx%d"
                                .formatted(
                                        first.height(),
                                        first.width(),
                                        first.channels(),
                                        image.height(),
                                        image.width(),
                                        image.channels()));
            }
            store.append(image.data());
        }
        return new MemoryDataset(
                name, first.height(), first.width(), first.channels(), classNames, store, labels.clone());
    }

    private void check() {
        if (labels.length < 1 || pixels.size() != (long) labels.length * imageBytes()) {
            throw new IllegalArgumentException(
                    name + ": " + labels.length + " labels for " + pixels.size() / imageBytes() + " images");
        }
        for (int row = 0; row < labels.length; row++) {
            if (labels[row] < 0 || labels[row] >= classNames.size()) {
                throw new IllegalArgumentException(name + ": label " + labels[row] + " of image " + row
                        + " is out of range, there are " + classNames.size() + " classes");
            }
        }
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public int size() {
        return labels.length;
    }

    @Override
    public int height() {
        return height;
    }

    @Override
    public int width() {
        return width;
    }

    @Override
    public int channels() {
        return channels;
    }

    @Override
    public List<String> classNames() {
        return classNames;
    }

    @Override
    public void read(int row, byte[] destination, int offset) {
        Objects.checkIndex(row, labels.length);
        pixels.read((long) row * imageBytes(), destination, offset, imageBytes());
    }

    @Override
    public int label(int row) {
        return labels[row];
    }

    @Override
    public String toString() {
        return "%s (%d images of %dx%dx%d, %d classes)"
                .formatted(name, labels.length, height, width, channels, classNames.size());
    }
}
