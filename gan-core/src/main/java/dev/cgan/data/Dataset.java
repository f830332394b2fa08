package dev.cgan.data;

import java.util.List;

/**
 * Labelled 8-bit images of one size. Reading is safe from several threads.
 *
 * <p>An unlabelled data set has one class, and all its labels are 0.
 */
public interface Dataset {
    /** {@return what messages call it} */
    String name();

    /** {@return the number of images, at least 1} */
    int size();

    /** {@return rows of an image} */
    int height();

    /** {@return columns of an image} */
    int width();

    /** {@return 1 for grey, 3 for red, green, blue} */
    int channels();

    /** {@return the names of the classes; label {@code i} has name {@code i}} */
    List<String> classNames();

    /**
     * Copies the pixels of an image.
     *
     * @param row from 0 to {@code size() - 1}
     * @param destination receives {@link #imageBytes()} unsigned bytes in the order row, column, channel
     * @param offset where in it
     * @throws IndexOutOfBoundsException if the row or the range does not exist
     */
    void read(int row, byte[] destination, int offset);

    /**
     * {@return the class of an image, from 0 to {@code classes() - 1}}
     *
     * @param row from 0 to {@code size() - 1}
     * @throws IndexOutOfBoundsException if the row does not exist
     */
    int label(int row);

    /** {@return the number of classes, at least 1} */
    default int classes() {
        return classNames().size();
    }

    /** {@return the bytes of one image} */
    default int imageBytes() {
        return height() * width() * channels();
    }

    /** {@return how many images each class has} */
    default int[] classCounts() {
        int[] counts = new int[classes()];
        for (int row = 0; row < size(); row++) {
            counts[label(row)]++;
        }
        return counts;
    }
}
