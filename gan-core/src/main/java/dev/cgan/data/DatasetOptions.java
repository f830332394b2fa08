package dev.cgan.data;

import java.nio.file.Path;

/**
 * How to load a data set.
 *
 * @param split which part; only data sets that come in two have {@link Split#TEST}
 * @param imageSize height and width to which images are scaled and cropped; 0 keeps the size of data sets that have one,
 *     and takes for a folder of images the shorter side of its first image, at most 64
 * @param channels 1 or 3; 0 keeps those of the data set, for a folder of images those of its first image
 * @param dataFolder where data sets are that are known by name but not bundled, each in a sub-folder of its name
 */
public record DatasetOptions(Split split, int imageSize, int channels, Path dataFolder) {
    /** The largest image size. */
    public static final int MAX_IMAGE_SIZE = 1024;

    /** Checks the values. */
    public DatasetOptions {
        if (imageSize < 0 || imageSize > MAX_IMAGE_SIZE) {
            throw new IllegalArgumentException("image size " + imageSize + " is not 0 to " + MAX_IMAGE_SIZE);
        }
        if (channels != 0 && channels != 1 && channels != 3) {
            throw new IllegalArgumentException("channels " + channels + " is not 1 or 3");
        }
    }

    /** {@return the training images as they are, looking for named data sets in the user's cache folder} */
    public static DatasetOptions defaults() {
        return new DatasetOptions(Split.TRAIN, 0, 0, cacheFolder());
    }

    /**
     * {@return these options for another size}
     *
     * @param size as the component
     */
    public DatasetOptions withImageSize(int size) {
        return new DatasetOptions(split, size, channels, dataFolder);
    }

    /**
     * {@return these options for another number of channels}
     *
     * @param count as the component
     */
    public DatasetOptions withChannels(int count) {
        return new DatasetOptions(split, imageSize, count, dataFolder);
    }

    /**
     * {@return these options for another part}
     *
     * @param part as the component
     */
    public DatasetOptions withSplit(Split part) {
        return new DatasetOptions(part, imageSize, channels, dataFolder);
    }

    /**
     * {@return these options with another folder of named data sets}
     *
     * @param folder as the component
     */
    public DatasetOptions withDataFolder(Path folder) {
        return new DatasetOptions(split, imageSize, channels, folder);
    }

    private static Path cacheFolder() {
        String cache = System.getenv("XDG_CACHE_HOME");
        Path root =
                cache == null || cache.isBlank() ? Path.of(System.getProperty("user.home"), ".cache") : Path.of(cache);
        return root.resolve("cgan");
    }
}
