package dev.cgan.data;

import dev.cgan.io.InvalidFileException;
import dev.cgan.io.Suggestions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;

/** Opens data sets by name, by folder or by file. */
public final class Datasets {
    /** The names of MNIST's classes. */
    public static final List<String> DIGITS = List.of("0", "1", "2", "3", "4", "5", "6", "7", "8", "9");

    /** The names of Fashion-MNIST's classes. */
    public static final List<String> FASHION = List.of(
            "t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot");

    private enum Named {
        MNIST("mnist", DIGITS, "the MNIST database of handwritten digits (LeCun, Cortes and Burges)"),
        FASHION_MNIST("fashion-mnist", FASHION, "the project zalandoresearch/fashion-mnist (folder data/fashion)");

        private final String label;
        private final List<String> classNames;
        private final String origin;

        Named(String label, List<String> classNames, String origin) {
            this.label = label;
            this.classNames = classNames;
            this.origin = origin;
        }
    }

    private Datasets() {}

    /**
     * Opens a data set.
     *
     * @param spec {@code mnist}, {@code fashion-mnist} or another name that a {@link DatasetProvider} has; a folder that
     *     holds the files of MNIST under their names, or images as {@link ImageFolder} reads them; an IDX file of images,
     *     or {@code IMAGES,LABELS}
     * @param options size, channels, part and place
     * @return the data set
     * @throws InvalidFileException if there is none, or its files are damaged
     * @throws IllegalArgumentException if it does not have the wanted part
     * @throws IOException if reading fails
     */
    public static Dataset open(String spec, DatasetOptions options) throws IOException {
        for (DatasetProvider provider : ServiceLoader.load(DatasetProvider.class)) {
            if (provider.name().equals(spec)) {
                return resized(provider.load(options.split()), options, Path.of(spec));
            }
        }
        for (Named named : Named.values()) {
            if (named.label.equals(spec)) {
                return resized(named(named, options), options, Path.of(spec));
            }
        }
        Path path = path(spec);
        if (Files.isDirectory(path)) {
            Optional<Pair> pair = Pair.in(path, options.split());
            if (pair.isPresent()) {
                return resized(Idx.read(pair.get().images(), pair.get().labels(), null), options, path);
            }
            requireTrain(spec, options);
            return ImageFolder.read(path, options.imageSize(), options.channels());
        }
        requireTrain(spec, options);
        int comma = spec.indexOf(',');
        if (!Files.exists(path) && comma >= 0) {
            Path images = path(spec.substring(0, comma));
            return resized(Idx.read(images, path(spec.substring(comma + 1)), null), options, images);
        }
        if (!Files.exists(path)) {
            throw new InvalidFileException(
                    path,
                    "no data set, file or folder of this name",
                    "check the path, or " + Suggestions.didYouMean(spec, names()));
        }
        return resized(Idx.read(path, null, null), options, path);
    }

    /** {@return the names that {@link #open} knows, bundled ones first} */
    public static List<String> names() {
        List<String> names = new ArrayList<>();
        ServiceLoader.load(DatasetProvider.class).forEach(provider -> names.add(provider.name()));
        for (Named named : Named.values()) {
            if (!names.contains(named.label)) {
                names.add(named.label);
            }
        }
        return names;
    }

    private static Dataset resized(Dataset dataset, DatasetOptions options, Path path) throws IOException {
        long side = options.imageSize() > 0 ? options.imageSize() : Math.max(dataset.height(), dataset.width());
        MemoryBudget.require(path, dataset.size() * side * side * Math.max(options.channels(), dataset.channels()));
        return ResizedDataset.of(dataset, options.imageSize(), options.channels());
    }

    private static Dataset named(Named named, DatasetOptions options) throws IOException {
        Path folder = options.dataFolder().resolve(named.label);
        Optional<Pair> pair = Files.isDirectory(folder) ? Pair.in(folder, options.split()) : Optional.empty();
        if (pair.isEmpty()) {
            throw new InvalidFileException(
                    folder,
                    "the data set " + named.label + " is not there",
                    "put these files of " + named.origin + " into that folder: " + String.join(", ", Pair.fileNames()));
        }
        Path images = pair.get().images();
        try (var in = Files.newInputStream(images);
                var labels = Files.newInputStream(pair.get().labels())) {
            return Idx.read(named.label, in, images, labels, pair.get().labels(), named.classNames);
        }
    }

    /** The image file and the label file of one part, under the names that MNIST gave them. */
    private record Pair(Path images, Path labels) {
        static Optional<Pair> in(Path folder, Split split) throws InvalidFileException {
            String prefix = split == Split.TRAIN ? "train" : "t10k";
            Optional<Path> images = find(folder, prefix + "-images", "idx3-ubyte");
            Optional<Path> labels = find(folder, prefix + "-labels", "idx1-ubyte");
            if (images.isPresent() && labels.isEmpty()) {
                throw new InvalidFileException(
                        folder.resolve(prefix + "-labels-idx1-ubyte.gz"),
                        "no such file beside " + images.get().getFileName(),
                        "add it, or name the image file itself for an unlabelled data set");
            }
            return images.map(path -> new Pair(path, labels.orElseThrow()));
        }

        static List<String> fileNames() {
            return List.of(
                    "train-images-idx3-ubyte.gz",
                    "train-labels-idx1-ubyte.gz",
                    "t10k-images-idx3-ubyte.gz",
                    "t10k-labels-idx1-ubyte.gz");
        }

        private static Optional<Path> find(Path folder, String stem, String kind) {
            for (String separator : List.of("-", ".")) {
                for (String ending : List.of("", ".gz")) {
                    Path file = folder.resolve(stem + separator + kind + ending);
                    if (Files.isRegularFile(file)) {
                        return Optional.of(file);
                    }
                }
            }
            return Optional.empty();
        }
    }

    private static void requireTrain(String spec, DatasetOptions options) {
        if (options.split() == Split.TEST) {
            throw new IllegalArgumentException("data set " + spec + " has no separate test images");
        }
    }

    private static Path path(String spec) throws InvalidFileException {
        try {
            return Path.of(spec);
        } catch (InvalidPathException e) {
            throw new InvalidFileException(Path.of("?"), "not a path: " + e.getMessage(), "check the path", e);
        }
    }
}
