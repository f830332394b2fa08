package dev.cgan.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cgan.io.InvalidFileException;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageFolderTest {
    @TempDir
    Path folder;

    @Test
    void subFoldersAreClassesInNumericOrder() throws IOException {
        for (String name : List.of("10", "9", "2")) {
            save("png", name + "/b.png", BufferedImage.TYPE_BYTE_GRAY, 8, 8, Integer.parseInt(name));
            save("png", name + "/a.PNG", BufferedImage.TYPE_BYTE_GRAY, 8, 8, 100 + Integer.parseInt(name));
        }
        Files.writeString(folder.resolve("2/.hidden.png"), "ignored");
        Files.writeString(folder.resolve("2/notes.txt"), "ignored");
        Files.writeString(folder.resolve("README.md"), "ignored");
        Files.createDirectory(folder.resolve(".git"));
        Dataset dataset = ImageFolder.read(folder, 0, 0);
        assertThat(dataset.classNames()).containsExactly("2", "9", "10");
        assertThat(dataset.classCounts()).containsExactly(2, 2, 2);
        assertThat(List.of(dataset.height(), dataset.width(), dataset.channels()))
                .containsExactly(8, 8, 1);
        int[] values = new int[6];
        byte[] image = new byte[64];
        for (int row = 0; row < 6; row++) {
            dataset.read(row, image, 0);
            values[row] = image[0];
            assertThat(dataset.label(row)).isEqualTo(row / 2);
        }
        assertThat(values).containsExactly(102, 2, 109, 9, 110, 10);
    }

    @Test
    void namedClassesAreInTheOrderOfTheirNames() throws IOException {
        for (String name : List.of("dog", "cat", "9")) {
            save("jpg", name + "/x.jpg", BufferedImage.TYPE_INT_RGB, 8, 8, 50);
        }
        assertThat(ImageFolder.read(folder, 4, 3).classNames()).containsExactly("9", "cat", "dog");
    }

    @Test
    void imagesAreScaledCroppedAndConverted() throws IOException {
        BufferedImage image = new BufferedImage(60, 20, BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < 20; y++) {
            for (int x = 0; x < 60; x++) {
                image.setRGB(x, y, x < 20 ? 0xff0000 : x < 40 ? 0x20c060 : 0x0000ff);
            }
        }
        ImageIO.write(image, "png", folder.resolve("wide.png").toFile());
        Dataset color = ImageFolder.read(folder, 10, 0);
        assertThat(color.channels()).isEqualTo(3);
        assertThat(color.classNames()).containsExactly("all");
        byte[] pixels = new byte[300];
        color.read(0, pixels, 0);
        int middle = (5 * 10 + 5) * 3;
        assertThat(Arrays.copyOfRange(pixels, middle, middle + 3)).containsExactly(0x20, (byte) 0xc0, 0x60);
        Dataset grey = ImageFolder.read(folder, 10, 1);
        byte[] luma = new byte[100];
        grey.read(0, luma, 0);
        assertThat(luma[55] & 0xff).isEqualTo(Math.round(0.299f * 0x20 + 0.587f * 0xc0 + 0.114f * 0x60));
    }

    @Test
    void thousandsOfImagesKeepTheirOrder() throws IOException {
        for (int i = 0; i < 600; i++) {
            save("png", "%04d.png".formatted(i), BufferedImage.TYPE_BYTE_GRAY, 2, 2, i % 251);
        }
        Dataset dataset = ImageFolder.read(folder, 2, 1);
        byte[] image = new byte[4];
        for (int i = 0; i < 600; i++) {
            dataset.read(i, image, 0);
            assertThat(image[0] & 0xff).isEqualTo(i % 251);
        }
    }

    @Test
    void emptyFoldersAreNamed() throws IOException {
        refused(folder, "no PNG or JPEG image in this folder; put images there, one sub-folder for each class");
        save("png", "full/a.png", BufferedImage.TYPE_BYTE_GRAY, 4, 4, 1);
        Path empty = Files.createDirectory(folder.resolve("empty"));
        refused(empty, "no PNG or JPEG image in this folder; put images there, one sub-folder for each class");
    }

    @Test
    void imagesBesideClassFoldersAreNamed() throws IOException {
        save("png", "cats/a.png", BufferedImage.TYPE_BYTE_GRAY, 4, 4, 1);
        save("png", "stray.png", BufferedImage.TYPE_BYTE_GRAY, 4, 4, 1);
        refused(
                folder.resolve("stray.png"),
                "it lies beside the class folder cats; move every image into the folder of its class");
    }

    @Test
    void theFirstBrokenImageInOrderIsNamed() throws IOException {
        for (int i = 0; i < 40; i++) {
            save("png", "%02d.png".formatted(i), BufferedImage.TYPE_BYTE_GRAY, 4, 4, 1);
        }
        Files.writeString(folder.resolve("17.png"), "not an image");
        Files.writeString(folder.resolve("23.png"), "");
        for (int round = 0; round < 10; round++) {
            refused(folder.resolve("17.png"), "not a PNG or JPEG image; remove the file or save it again as PNG");
        }
        Files.delete(folder.resolve("17.png"));
        refused(folder.resolve("23.png"), "empty file; remove the file or save it again as PNG");
    }

    private void save(String format, String name, int type, int width, int height, int value) throws IOException {
        BufferedImage image = new BufferedImage(width, height, type);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                for (int band = 0; band < image.getRaster().getNumBands(); band++) {
                    image.getRaster().setSample(x, y, band, value);
                }
            }
        }
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        assertThat(ImageIO.write(image, format, file.toFile())).isTrue();
    }

    private void refused(Path file, String message) {
        assertThatThrownBy(() -> ImageFolder.read(folder, 0, 0))
                .isInstanceOf(InvalidFileException.class)
                .hasMessage(file + ": " + message);
    }
}
