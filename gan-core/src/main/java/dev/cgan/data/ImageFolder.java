package dev.cgan.data;

import dev.cgan.image.ImageDecoder;
import dev.cgan.image.Pixels;
import dev.cgan.image.Resampler;
import dev.cgan.io.InvalidFileException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A folder of PNG and JPEG files with one sub-folder for each class, or with the images themselves for an unlabelled
 * data set. Hidden files and files with other endings are ignored. Images are read in the order of their paths, whatever
 * the file system's.
 */
public final class ImageFolder {
    private static final int DEFAULT_LARGEST_SIZE = 64;
    private static final int FILES_AT_ONCE = 256;

    private ImageFolder() {}

    private record Labelled(Path file, int label) {}

    /**
     * Reads a folder; every image is scaled so that its shorter side fits, and cropped in the middle.
     *
     * @param folder the folder; classes are its sub-folders, in numeric order if all their names are numbers, else in
     *     the order of their names
     * @param imageSize height and width of the result; 0 for the shorter side of the first image, at most 64
     * @param channels 1 or 3; 0 for those of the first image
     * @return the data set
     * @throws InvalidFileException if the folder or a class has no images, if images lie beside class folders, or if an
     *     image is unreadable, corrupt or huge; the message names the file
     * @throws IOException if reading fails
     */
    public static MemoryDataset read(Path folder, int imageSize, int channels) throws IOException {
        List<Path> classFolders = list(folder, Files::isDirectory);
        List<Path> loose = images(folder);
        List<Labelled> files = new ArrayList<>();
        List<String> classNames = new ArrayList<>();
        if (classFolders.isEmpty()) {
            if (loose.isEmpty()) {
                throw empty(folder);
            }
            classNames.add("all");
            loose.forEach(file -> files.add(new Labelled(file, 0)));
        } else {
            if (!loose.isEmpty()) {
                throw new InvalidFileException(
                        loose.getFirst(),
                        "it lies beside the class folder "
                                + classFolders.getFirst().getFileName(),
                        "move every image into the folder of its class");
            }
            sortNumerically(classFolders);
            for (Path classFolder : classFolders) {
                List<Path> images = images(classFolder);
                if (images.isEmpty()) {
                    throw empty(classFolder);
                }
                int label = classNames.size();
                images.forEach(file -> files.add(new Labelled(file, label)));
                classNames.add(classFolder.getFileName().toString());
            }
        }
        return decode(folder, files, classNames, imageSize, channels);
    }

    private static MemoryDataset decode(
            Path folder, List<Labelled> files, List<String> classNames, int imageSize, int channels)
            throws IOException {
        Pixels first = ImageDecoder.decode(files.getFirst().file());
        int size = imageSize > 0 ? imageSize : Math.min(DEFAULT_LARGEST_SIZE, Math.min(first.height(), first.width()));
        int depth = channels > 0 ? channels : first.channels();
        MemoryBudget.require(folder, (long) files.size() * size * size * depth);
        PixelStore pixels = new PixelStore();
        for (int from = 0; from < files.size(); from += FILES_AT_ONCE) {
            List<Labelled> part = files.subList(from, Math.min(files.size(), from + FILES_AT_ONCE));
            for (byte[] image : decode(part, size, depth)) {
                pixels.append(image);
            }
        }
        int[] labels = files.stream().mapToInt(Labelled::label).toArray();
        String name = folder.toAbsolutePath().normalize().getFileName() + "";
        return new MemoryDataset(name, size, size, depth, classNames, pixels, labels);
    }

    private static byte[][] decode(List<Labelled> files, int size, int channels) throws IOException {
        byte[][] images = new byte[files.size()][];
        IOException[] failures = new IOException[files.size()];
        IntStream.range(0, files.size()).parallel().forEach(i -> {
            try {
                Pixels image = ImageDecoder.decode(files.get(i).file());
                images[i] = Resampler.square(image, size).withChannels(channels).data();
            } catch (IOException e) {
                failures[i] = e;
            }
        });
        // The first in order, so that the same folder always gives the same message.
        for (IOException failure : failures) {
            if (failure != null) {
                throw failure;
            }
        }
        return images;
    }

    private static List<Path> images(Path folder) throws IOException {
        return list(folder, file -> {
            String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
            boolean image = name.endsWith(".png") || name.endsWith(".jpg") || name.endsWith(".jpeg");
            return image && !Files.isDirectory(file);
        });
    }

    private interface Kind {
        boolean matches(Path path);
    }

    private static List<Path> list(Path folder, Kind kind) throws IOException {
        try (Stream<Path> paths = Files.list(folder)) {
            return new ArrayList<>(paths.filter(
                            path -> !path.getFileName().toString().startsWith(".") && kind.matches(path))
                    .sorted(Comparator.comparing(path -> path.getFileName().toString()))
                    .toList());
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private static void sortNumerically(List<Path> folders) {
        if (folders.stream().allMatch(path -> path.getFileName().toString().matches("\\d{1,9}"))) {
            folders.sort(Comparator.comparingInt(
                    path -> Integer.parseInt(path.getFileName().toString())));
        }
    }

    private static InvalidFileException empty(Path folder) {
        return new InvalidFileException(
                folder, "no PNG or JPEG image in this folder", "put images there, one sub-folder for each class");
    }
}
