package dev.cgan.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cgan.io.InvalidFileException;
import dev.cgan.testkit.Mutations;
import dev.cgan.testkit.Seeds;
import java.awt.image.BufferedImage;
import java.awt.image.DataBuffer;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Random;
import java.util.zip.CRC32;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageDecoderTest {
    @TempDir
    Path folder;

    @Test
    void greyValuesAreTakenAsStored() throws IOException {
        BufferedImage image = new BufferedImage(256, 2, BufferedImage.TYPE_BYTE_GRAY);
        for (int x = 0; x < 256; x++) {
            image.getRaster().setSample(x, 0, 0, x);
        }
        Pixels pixels = ImageDecoder.decode(save(image, "png"));
        assertThat(pixels.channels()).isEqualTo(1);
        for (int x = 0; x < 256; x++) {
            assertThat(pixels.data()[x] & 0xff).isEqualTo(x);
        }
    }

    @Test
    void sixteenBitSamplesKeepTheirUpperByte() throws IOException {
        BufferedImage image = new BufferedImage(2, 1, BufferedImage.TYPE_USHORT_GRAY);
        image.getRaster().setSample(0, 0, 0, 0x12ff);
        image.getRaster().setSample(1, 0, 0, 0xfe01);
        assertThat(ImageDecoder.decode(save(image, "png")).data()).containsExactly(0x12, 0xfe);
    }

    @Test
    void transparencyIsLaidOverWhite() throws IOException {
        BufferedImage image = new BufferedImage(3, 1, BufferedImage.TYPE_INT_ARGB);
        image.setRGB(0, 0, 0xff0a141e);
        image.setRGB(1, 0, 0x000a141e);
        image.setRGB(2, 0, 0x80000000);
        assertThat(ImageDecoder.decode(save(image, "png")).data())
                .containsExactly(10, 20, 30, -1, -1, -1, 127, 127, 127);
    }

    @Test
    void palettesAreResolved() throws IOException {
        byte[] ramp = {0, 85, (byte) 170, -1};
        BufferedImage grey =
                new BufferedImage(2, 2, BufferedImage.TYPE_BYTE_BINARY, new IndexColorModel(2, 4, ramp, ramp, ramp));
        grey.getRaster().setSample(0, 0, 0, 1);
        grey.getRaster().setSample(1, 1, 0, 3);
        Pixels pixels = ImageDecoder.decode(save(grey, "png"));
        assertThat(pixels.channels()).isEqualTo(1);
        assertThat(pixels.data()).containsExactly(85, 0, 0, -1);
        byte[] reverse = {-1, (byte) 170, 85, 0};
        BufferedImage color = new BufferedImage(
                1, 1, BufferedImage.TYPE_BYTE_INDEXED, new IndexColorModel(8, 4, ramp, reverse, ramp));
        color.getRaster().setSample(0, 0, 0, 2);
        assertThat(ImageDecoder.decode(save(color, "png")).data()).containsExactly((byte) 170, 85, (byte) 170);
    }

    @Test
    void jpegsAreDecoded() throws IOException {
        BufferedImage image = new BufferedImage(16, 16, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < 256; i++) {
            image.setRGB(i % 16, i / 16, 0x4080c0);
        }
        Pixels pixels = ImageDecoder.decode(save(image, "jpg"));
        assertThat(pixels.channels()).isEqualTo(3);
        for (int c = 0; c < 3; c++) {
            int wanted = 0x40 * (c + 1);
            assertThat(Math.abs((pixels.data()[384 + c] & 0xff) - wanted)).isLessThan(4);
        }
        BufferedImage grey = new BufferedImage(9, 5, BufferedImage.TYPE_BYTE_GRAY);
        assertThat(ImageDecoder.decode(save(grey, "jpg")).channels()).isEqualTo(1);
    }

    @Test
    void hugeImagesAreRefusedBeforeDecoding() throws IOException {
        Path file = save(new BufferedImage(4, 4, BufferedImage.TYPE_BYTE_GRAY), "png");
        byte[] bytes = Files.readAllBytes(file);
        ByteBuffer header = ByteBuffer.wrap(bytes);
        header.putInt(16, 100_000).putInt(20, 50_000);
        CRC32 crc = new CRC32();
        crc.update(bytes, 12, 17);
        header.putInt(29, (int) crc.getValue());
        Files.write(file, bytes);
        assertThatThrownBy(() -> ImageDecoder.decode(file))
                .isInstanceOf(InvalidFileException.class)
                .hasMessage(file + ": image of 100000x50000 pixels, at most 16384 a side and 67108864 in all are "
                        + "decoded; remove the file or scale it down");
    }

    @Test
    void cmykIsRefusedByName() throws IOException {
        Path file = folder.resolve("cmyk.jpg");
        WritableRaster raster = Raster.createInterleavedRaster(DataBuffer.TYPE_BYTE, 8, 8, 4, null);
        Iterator<ImageWriter> writers = ImageIO.getImageWritersByFormatName("jpeg");
        ImageWriter writer = writers.next();
        try (var out = ImageIO.createImageOutputStream(file.toFile())) {
            writer.setOutput(out);
            writer.write(new IIOImage(raster, null, null));
        } finally {
            writer.dispose();
        }
        cmykIsRefused(file);
        // As photo editors mark it: an APP14 segment "Adobe", transform 2, after the start of the image.
        byte[] adobe = {-1, -18, 0, 14, 'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, 2};
        byte[] plain = Files.readAllBytes(file);
        ByteBuffer marked = ByteBuffer.allocate(plain.length + adobe.length);
        Files.write(
                file,
                marked.put(plain, 0, 2)
                        .put(adobe)
                        .put(plain, 2, plain.length - 2)
                        .array());
        cmykIsRefused(file);
    }

    private static void cmykIsRefused(Path file) {
        assertThatThrownBy(() -> ImageDecoder.decode(file))
                .isInstanceOf(InvalidFileException.class)
                .hasMessage(file + ": a CMYK or YCCK image; convert it to RGB");
    }

    @Test
    void truncatedImagesAreRefused() throws IOException {
        BufferedImage image = noise(64, 64);
        for (String format : new String[] {"png", "jpg"}) {
            Path file = save(image, format);
            byte[] bytes = Files.readAllBytes(file);
            Files.write(file, Arrays.copyOf(bytes, bytes.length / 2));
            assertThatThrownBy(() -> ImageDecoder.decode(file))
                    .as(format)
                    .isInstanceOf(InvalidFileException.class)
                    .hasMessageStartingWith(file + ": ")
                    .hasMessageEndingWith("; remove the file or save it again as PNG");
        }
    }

    @Test
    void otherFilesAreRefused() throws IOException {
        Path file = Files.writeString(folder.resolve("x.png"), "GIF89a");
        assertThatThrownBy(() -> ImageDecoder.decode(file))
                .hasMessage(file + ": not a PNG or JPEG image; remove the file or save it again as PNG");
        assertThatThrownBy(() -> ImageDecoder.decode(folder.resolve("absent.png")))
                .hasMessageEndingWith("absent.png: no such file; check the path");
    }

    @Test
    void mutatedImagesAreDecodedOrRefusedAndNeverMore() throws IOException {
        Random random = Seeds.random("ImageDecoderTest.fuzz");
        byte[][] originals = {
            Files.readAllBytes(save(noise(12, 9), "png")), Files.readAllBytes(save(noise(12, 9), "jpg")),
        };
        Path file = folder.resolve("fuzz");
        int[] outcomes = new int[2];
        for (int round = 0; round < 2000; round++) {
            Files.write(file, Mutations.mutate(originals[round % 2], random));
            try {
                Pixels pixels = ImageDecoder.decode(file);
                Resampler.square(pixels, 8);
                outcomes[0]++;
            } catch (InvalidFileException e) {
                outcomes[1]++;
            }
        }
        assertThat(outcomes[0]).isPositive();
        assertThat(outcomes[1]).isPositive();
    }

    private BufferedImage noise(int width, int height) {
        Random random = new Random(1);
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < width * height; i++) {
            image.setRGB(i % width, i / width, random.nextInt());
        }
        return image;
    }

    private Path save(BufferedImage image, String format) throws IOException {
        Path file = folder.resolve("image." + format);
        assertThat(ImageIO.write(image, format, file.toFile())).isTrue();
        return file;
    }
}
