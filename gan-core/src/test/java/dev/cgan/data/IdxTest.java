package dev.cgan.data;

import static dev.cgan.testkit.IdxFiles.gzip;
import static dev.cgan.testkit.IdxFiles.idx;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cgan.io.InvalidFileException;
import dev.cgan.testkit.Allocation;
import dev.cgan.testkit.Mutations;
import dev.cgan.testkit.Seeds;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class IdxTest {
    private static final int IMAGES = 0x803;
    private static final int LABELS = 0x801;

    @TempDir
    Path folder;

    private Path images;
    private Path labels;

    @BeforeEach
    void files() {
        images = folder.resolve("images");
        labels = folder.resolve("labels");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void randomFilesRoundTripWhateverTheirNames(boolean compressed) throws IOException {
        Random random = Seeds.random("IdxTest.roundTrip");
        for (int round = 0; round < 40; round++) {
            int count = 1 + random.nextInt(40);
            int rows = 1 + random.nextInt(300);
            int columns = 1 + random.nextInt(300);
            int channels = random.nextBoolean() ? 1 : 3;
            byte[] pixels = new byte[count * rows * columns * channels];
            random.nextBytes(pixels);
            byte[] classes = new byte[count];
            random.nextBytes(classes);
            byte[] file = channels == 1
                    ? idx(IMAGES, pixels, count, rows, columns)
                    : idx(0x804, pixels, count, rows, columns, channels);
            byte[] labelFile = idx(LABELS, classes, count);
            Files.write(images, compressed ? gzip(file) : file);
            Files.write(labels, compressed ? gzip(labelFile) : labelFile);
            Dataset dataset = Idx.read(images, labels, null);
            assertThat(List.of(dataset.size(), dataset.height(), dataset.width(), dataset.channels()))
                    .containsExactly(count, rows, columns, channels);
            byte[] image = new byte[dataset.imageBytes()];
            for (int row = 0; row < count; row++) {
                dataset.read(row, image, 0);
                int from = row * image.length;
                assertThat(Arrays.equals(image, 0, image.length, pixels, from, from + image.length))
                        .isTrue();
                assertThat(dataset.label(row)).isEqualTo(classes[row] & 0xff);
            }
        }
    }

    @Test
    void withoutLabelsThereIsOneClass() throws IOException {
        Files.write(images, idx(IMAGES, new byte[8], 2, 2, 2));
        Dataset dataset = Idx.read(images, null, null);
        assertThat(dataset.classNames()).containsExactly("all");
        assertThat(dataset.classCounts()).containsExactly(2);
    }

    @Test
    void truncatedFilesSayWhatIsMissing() throws IOException {
        Files.write(images, idx(IMAGES, new byte[7], 2, 2, 2));
        imagesRefused("truncated: 2 images of 2x2 take 8 bytes, 7 are there; download or copy the file again");
        Files.write(images, Arrays.copyOf(idx(IMAGES, new byte[0], 2, 2, 2), 14));
        imagesRefused("truncated: it ends inside its header; download or copy the file again");
        Files.write(images, new byte[0]);
        imagesRefused("truncated: it ends inside its header; download or copy the file again");
        Random random = Seeds.random("IdxTest.truncated");
        byte[] noise = new byte[10_000];
        random.nextBytes(noise);
        byte[] file = gzip(idx(IMAGES, noise, 1, 100, 100));
        for (int length : new int[] {5, 12, 500, file.length - 1}) {
            Files.write(images, Arrays.copyOf(file, length));
            imagesRefused("truncated gzip file; download or copy the file again");
        }
        file[file.length / 2] ^= 0x55;
        Files.write(images, file);
        assertThatThrownBy(() -> Idx.read(images, null, null))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageMatching("\\Q" + images + "\\E: (corrupt|truncated).*; download or copy the file again");
    }

    @Test
    void oversizedFilesAreRefused() throws IOException {
        Files.write(images, idx(IMAGES, new byte[9], 2, 2, 2));
        imagesRefused("oversized: bytes follow the last of 2 images of 2x2; download or copy the file again");
        Files.write(images, gzip(idx(IMAGES, new byte[9], 2, 2, 2)));
        imagesRefused("oversized: bytes follow the last of 2 images of 2x2; download or copy the file again");
        Files.write(images, idx(IMAGES, new byte[8], 2, 2, 2));
        Files.write(labels, idx(LABELS, new byte[3], 2));
        labelsRefused("oversized: bytes follow the last of 2 labels; download or copy the file again");
    }

    @Test
    void otherFilesAreRefusedByTheirMagicNumber() throws IOException {
        Files.write(images, idx(0x89504e47, new byte[100]));
        imagesRefused("not an IDX file: it begins with 0x89504e47, an image file begins with 0x00000803, "
                + "or 0x00000804 for colour; check that it is the right file");
        Files.write(images, idx(0x0d03, new byte[32], 2, 2, 2));
        imagesRefused("IDX elements of type 0x0d, only 0x08 (unsigned bytes) are supported; "
                + "convert them to unsigned bytes");
        Files.write(images, idx(IMAGES, new byte[8], 2, 2, 2));
        Files.write(labels, idx(0x805, new byte[2], 2));
        labelsRefused("not an IDX file: it begins with 0x00000805, a label file begins with 0x00000801; "
                + "check that it is the right file");
    }

    @Test
    void swappedFilesAreRefused() throws IOException {
        Files.write(images, idx(IMAGES, new byte[8], 2, 2, 2));
        Files.write(labels, idx(LABELS, new byte[2], 2));
        String remedy = "; give the images first, then the labels";
        assertThatThrownBy(() -> Idx.read(labels, images, null))
                .hasMessage(labels + ": mislabelled: a label file (magic 0x00000801), not an image file (0x00000803)"
                        + remedy);
        assertThatThrownBy(() -> Idx.read(images, images, null))
                .hasMessage(images + ": mislabelled: an image file (magic 0x00000803), not a label file (0x00000801)"
                        + remedy);
    }

    @Test
    void labelsMustFitTheImages() throws IOException {
        Files.write(images, idx(IMAGES, new byte[8], 2, 2, 2));
        Files.write(labels, idx(LABELS, new byte[3], 3));
        labelsRefused("3 labels for the 2 images of " + images + "; pair each image file with its own label file");
        Files.write(labels, idx(LABELS, new byte[] {9, 10}, 2));
        assertThatThrownBy(() -> Idx.read(images, labels, Datasets.DIGITS))
                .isInstanceOf(InvalidFileException.class)
                .hasMessage(labels + ": label 10 of image 1 is out of range 0 to 9; "
                        + "check that the labels belong to this data set");
        assertThat(Idx.read(images, labels, null).classes()).isEqualTo(11);
    }

    @Test
    void headersThatPromiseTooMuchAllocateNothing() throws IOException {
        for (int[] dimensions : new int[][] {{-1, 28, 28}, {0, 28, 28}, {5, 0, 28}, {5, 28, 1 << 20}}) {
            Files.write(images, idx(IMAGES, new byte[8], dimensions));
            assertThatThrownBy(() -> Idx.read(images, null, null))
                    .isInstanceOf(InvalidFileException.class)
                    .hasMessageContaining("its header promises ");
        }
        Files.write(images, gzip(idx(IMAGES, new byte[1 << 20], Integer.MAX_VALUE, 1 << 14, 1 << 14)));
        long before = Allocation.bytes();
        assertThatThrownBy(() -> Idx.read(images, null, null))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageMatching(".*: its images take \\d+ MiB of memory, \\d+ MiB are usable; give Java more.*");
        Files.write(images, idx(IMAGES, new byte[8], 100, 1 << 10, 1 << 10));
        imagesRefused("truncated: 100 images of 1024x1024 take 104857600 bytes, 8 are there; "
                + "download or copy the file again");
        assertThat(Allocation.bytes() - before).isLessThan(8L << 20);
    }

    @Test
    void aBombStopsAtItsPromise() throws IOException {
        Files.write(images, gzip(idx(IMAGES, new byte[64 << 20], 2, 2, 2)));
        long before = Allocation.bytes();
        imagesRefused("oversized: bytes follow the last of 2 images of 2x2; download or copy the file again");
        assertThat(Allocation.bytes() - before).isLessThan(8L << 20);
    }

    @Test
    void missingFilesAreNamed() {
        imagesRefused("no such file; check the path");
        assertThatThrownBy(() -> Idx.read(folder, null, null))
                .hasMessage(folder + ": it is a folder, not an IDX file; name the file itself");
    }

    @Test
    void mutatedFilesAreReadOrRefusedAndNeverMore() throws IOException {
        Random random = Seeds.random("IdxTest.fuzz");
        byte[] noise = new byte[5 * 6 * 4];
        random.nextBytes(noise);
        byte[] imageFile = idx(IMAGES, noise, 5, 6, 4);
        byte[] labelFile = idx(LABELS, new byte[] {0, 1, 2, 3, 4}, 5);
        int[] outcomes = new int[2];
        for (int round = 0; round < 6000; round++) {
            byte[] first = random.nextBoolean() ? imageFile : gzip(imageFile);
            byte[] second = random.nextBoolean() ? labelFile : gzip(labelFile);
            boolean both = random.nextInt(4) == 0;
            byte[] brokenImages = both || random.nextBoolean() ? Mutations.mutate(first, random) : first;
            byte[] brokenLabels = both || brokenImages == first ? Mutations.mutate(second, random) : second;
            outcomes[read(brokenImages, brokenLabels) ? 0 : 1]++;
        }
        assertThat(outcomes[0]).isGreaterThan(100);
        assertThat(outcomes[1]).isGreaterThan(1000);
    }

    @Test
    void randomBytesAreRefused() throws IOException {
        Random random = Seeds.random("IdxTest.randomBytes");
        for (int round = 0; round < 2000; round++) {
            byte[] noise = new byte[random.nextInt(200)];
            random.nextBytes(noise);
            if (random.nextBoolean() && noise.length > 2) {
                noise[0] = 0x1f;
                noise[1] = (byte) 0x8b;
            }
            assertThat(read(noise, noise)).isFalse();
        }
    }

    private boolean read(byte[] imageFile, byte[] labelFile) throws IOException {
        long before = Allocation.bytes();
        try {
            Dataset dataset = Idx.read(
                    "fuzz",
                    new ByteArrayInputStream(imageFile),
                    images,
                    new ByteArrayInputStream(labelFile),
                    labels,
                    Datasets.DIGITS);
            byte[] image = new byte[dataset.imageBytes()];
            dataset.read(dataset.size() - 1, image, 0);
            return true;
        } catch (InvalidFileException e) {
            assertThat(e.getMessage()).startsWith(folder.toString());
            return false;
        } finally {
            assertThat(Allocation.bytes() - before).isLessThan(8L << 20);
        }
    }

    private void imagesRefused(String message) {
        assertThatThrownBy(() -> Idx.read(images, null, null))
                .isInstanceOf(InvalidFileException.class)
                .hasMessage(images + ": " + message);
    }

    private void labelsRefused(String message) {
        assertThatThrownBy(() -> Idx.read(images, labels, null))
                .isInstanceOf(InvalidFileException.class)
                .hasMessage(labels + ": " + message);
    }
}
