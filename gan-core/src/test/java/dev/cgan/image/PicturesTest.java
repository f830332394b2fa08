package dev.cgan.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cgan.io.InvalidFileException;
import dev.cgan.testkit.Seeds;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.metadata.IIOMetadataNode;
import javax.imageio.stream.ImageInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Grids, PNG and GIF files, curves. What is written is read back by the JDK's own decoders. */
class PicturesTest {
    @TempDir
    Path folder;

    @Test
    void pixelsFollowTheReferenceExperiment() {
        assertThat(ImageGrid.toPixel(-1)).isZero();
        assertThat(ImageGrid.toPixel(1)).isEqualTo(255);
        assertThat(ImageGrid.toPixel(0)).isEqualTo(127);
        assertThat(ImageGrid.toPixel(-7)).isZero();
        assertThat(ImageGrid.toPixel(7)).isEqualTo(255);
        assertThat(ImageGrid.toPixel(Float.NaN)).isZero();
        for (int p = 0; p < 256; p++) {
            assertThat(ImageGrid.toPixel((p - 127.5f) / 127.5f)).isEqualTo(p);
        }
    }

    @Test
    void imagesLieRowByRow() {
        byte[] images = new byte[7 * 2 * 3];
        for (int i = 0; i < images.length; i++) {
            images[i] = (byte) (10 * (i / 6) + i % 6);
        }
        Canvas canvas = new ImageGrid(0, 1, 2, "").draw(images, 2, 3, 1);
        assertThat(canvas.width()).isEqualTo((3 * 3 + 2) * 2);
        assertThat(canvas.height()).isEqualTo((3 * 2 + 2) * 2);
        for (int image = 0; image < 7; image++) {
            for (int pixel = 0; pixel < 6; pixel++) {
                int x = (image % 3 * 4 + pixel % 3) * 2;
                int y = (image / 3 * 3 + pixel / 3) * 2;
                for (int corner = 0; corner < 4; corner++) {
                    assertThat(canvas.rgb(x + corner % 2, y + corner / 2) & 0xff)
                            .isEqualTo(10 * image + pixel);
                }
            }
        }
        assertThat(canvas.rgb(6, 0)).isEqualTo(0xffffff);
        assertThat(canvas.rgb(canvas.width() - 1, canvas.height() - 1)).isEqualTo(0xffffff);
    }

    @Test
    void colorsAndColumnsAndFloats() {
        float[] images = {1, 0, -1, -1, 1, 0};
        Canvas canvas =
                ImageGrid.defaults().withColumns(2).withGap(0).withZoom(1).draw(images, 1, 1, 3);
        assertThat(canvas.width()).isEqualTo(2);
        assertThat(canvas.rgb(0, 0)).isEqualTo(0xff7f00);
        assertThat(canvas.rgb(1, 0)).isEqualTo(0x00ff7f);
        assertThat(canvas.isGrey()).isFalse();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ImageGrid.defaults().draw(new byte[5], 2, 2, 1))
                .withMessage("5 bytes are no images of 2x2x1");
    }

    @Test
    void theTitleStandsAboveInTheMiddle() {
        byte[] black = new byte[64 * 28 * 28];
        Canvas plain = ImageGrid.defaults().draw(black, 28, 28, 1);
        Canvas titled = ImageGrid.defaults().withTitle("iteration: 50").draw(black, 28, 28, 1);
        int top = titled.height() - plain.height();
        assertThat(top).isEqualTo(26);
        int ink = 0;
        int left = titled.width();
        int right = 0;
        for (int y = 0; y < top; y++) {
            for (int x = 0; x < titled.width(); x++) {
                if (titled.rgb(x, y) != 0xffffff) {
                    ink++;
                    left = Math.min(left, x);
                    right = Math.max(right, x);
                }
            }
        }
        assertThat(ink).isGreaterThan(300);
        assertThat(Math.abs(left - (titled.width() - 1 - right))).isLessThan(8);
    }

    @Test
    void everyCharacterHasItsOwnShape() {
        List<String> shapes = new ArrayList<>();
        for (char c = ' '; c <= '~'; c++) {
            StringBuilder shape = new StringBuilder();
            for (int i = 0; i < BitmapFont.WIDTH * BitmapFont.HEIGHT; i++) {
                shape.append(BitmapFont.isSet(c, i % BitmapFont.WIDTH, i / BitmapFont.WIDTH) ? '#' : '.');
            }
            shapes.add(shape.toString());
        }
        assertThat(shapes).hasSize(95).doesNotHaveDuplicates();
        assertThat(BitmapFont.isSet('\u00e9', 1, 0))
                .isEqualTo(BitmapFont.isSet('?', 1, 0))
                .isTrue();
    }

    @Test
    void pngsAreReadBackExactly() throws IOException {
        Random random = Seeds.random("PicturesTest.png");
        for (int round = 0; round < 60; round++) {
            Canvas canvas = randomCanvas(random, round % 3);
            Path file = folder.resolve("x.png");
            PngFiles.write(file, canvas);
            BufferedImage image = ImageIO.read(file.toFile());
            assertThat(image.getRaster().getNumBands()).isEqualTo(canvas.isGrey() ? 1 : 3);
            Canvas back = Canvas.of(ImageDecoder.decode(file));
            assertSame(back, canvas);
            assertSame(canvas.toBufferedImage(), canvas);
        }
    }

    @Test
    void gifsAreReadBackExactlyWhenColoursAreFew() throws IOException {
        Random random = Seeds.random("PicturesTest.gif");
        for (int round = 0; round < 30; round++) {
            int width = 1 + random.nextInt(120);
            int height = 1 + random.nextInt(120);
            List<Canvas> frames = new ArrayList<>();
            List<Path> files = new ArrayList<>();
            int frameCount = 1 + random.nextInt(4);
            for (int i = 0; i < frameCount; i++) {
                Canvas frame = new Canvas(width, height, 0);
                int colors = 1 + random.nextInt(256);
                int run = 1 + random.nextInt(20);
                for (int pixel = 0; pixel < width * height; pixel++) {
                    int shade = (pixel / run * 7919 + (random.nextInt(10) == 0 ? 1 : 0)) % colors;
                    frame.fill(pixel % width, pixel / width, 1, 1, shade * 0x10101);
                }
                frames.add(frame);
                files.add(folder.resolve(i + ".png"));
                PngFiles.write(files.getLast(), frame);
            }
            Path gif = folder.resolve("x.gif");
            AnimatedGif.write(gif, files, 120);
            List<BufferedImage> back = readGif(gif);
            assertThat(back).hasSize(frames.size());
            for (int i = 0; i < frames.size(); i++) {
                assertSame(back.get(i), frames.get(i));
            }
        }
    }

    @Test
    void gifsOfManyColoursComeClose() throws IOException {
        Canvas canvas = new Canvas(64, 64, 0);
        for (int i = 0; i < 64 * 64; i++) {
            canvas.fill(i % 64, i / 64, 1, 1, i % 64 * 4 << 16 | i / 64 * 4 << 8 | 128);
        }
        Path png = folder.resolve("x.png");
        PngFiles.write(png, canvas);
        Path gif = folder.resolve("x.gif");
        AnimatedGif.write(gif, List.of(png), 100);
        BufferedImage back = readGif(gif).getFirst();
        double error = 0;
        for (int i = 0; i < 64 * 64; i++) {
            error += ((back.getRGB(i % 64, i / 64) >> 16 & 0xff) - (canvas.rgb(i % 64, i / 64) >> 16));
        }
        assertThat(Math.abs(error / (64 * 64))).as("dithering keeps the mean").isLessThan(4);
    }

    @Test
    void animationsRepeatAndSayHowLong() throws IOException {
        List<Path> files = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            files.add(folder.resolve(i + ".png"));
            PngFiles.write(files.getLast(), new Canvas(i == 0 ? 5 : 4, 4, i * 0x404040));
        }
        Path gif = folder.resolve("x.gif");
        AnimatedGif.write(gif, files, 130);
        ImageReader reader = ImageIO.getImageReadersByFormatName("gif").next();
        try (ImageInputStream in = ImageIO.createImageInputStream(gif.toFile())) {
            reader.setInput(in);
            // The first picture has another size than the last, so it is left out.
            assertThat(reader.getNumImages(true)).isEqualTo(2);
            assertThat(delay(reader, 0)).isEqualTo("13");
            assertThat(delay(reader, 1)).isEqualTo("200");
        } finally {
            reader.dispose();
        }
        assertThat(new String(Files.readAllBytes(gif), StandardCharsets.ISO_8859_1))
                .startsWith("GIF89a")
                .contains("NETSCAPE2.0\u0003\u0001\0\0\0")
                .endsWith(";");
    }

    @Test
    void longRunsBecomeEvenlySpacedFrames() throws IOException {
        List<Path> files = new ArrayList<>();
        for (int i = 0; i < 450; i++) {
            files.add(folder.resolve("%04d.png".formatted(i)));
            PngFiles.write(files.getLast(), new Canvas(2, 1, i < 449 ? 0x101010 : 0xf0f0f0));
        }
        Path gif = folder.resolve("x.gif");
        AnimatedGif.write(gif, files, 100);
        List<BufferedImage> frames = readGif(gif);
        assertThat(frames).hasSize(AnimatedGif.MAX_FRAMES);
        assertThat(frames.getLast().getRGB(0, 0) & 0xffffff).isEqualTo(0xf0f0f0);
        assertThat(frames.get(198).getRGB(0, 0) & 0xffffff).isEqualTo(0x101010);
    }

    @Test
    void aDamagedPictureEndsTheAnimationAndLeavesNothing() throws IOException {
        Path good = folder.resolve("1.png");
        PngFiles.write(good, new Canvas(2, 2, 0));
        Path bad = Files.writeString(folder.resolve("0.png"), "damaged");
        Path gif = folder.resolve("x.gif");
        assertThatThrownBy(() -> AnimatedGif.write(gif, List.of(bad, good), 100))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageStartingWith(bad + ": not a PNG");
        try (var files = Files.list(folder)) {
            assertThat(files).containsExactlyInAnyOrder(good, bad);
        }
    }

    private static Canvas randomCanvas(Random random, int kind) {
        Canvas canvas = new Canvas(1 + random.nextInt(80), 1 + random.nextInt(80), 0);
        for (int i = 0; i < canvas.width() * canvas.height(); i++) {
            int smooth = (i % canvas.width() * 3 + i / canvas.width()) & 0xff;
            int color = switch (kind) {
                case 0 -> random.nextInt(256) * 0x10101;
                case 1 -> random.nextInt(1 << 24);
                default -> smooth << 16 | smooth / 2 << 8 | 255 - smooth;
            };
            canvas.fill(i % canvas.width(), i / canvas.width(), 1, 1, color);
        }
        return canvas;
    }

    private static List<BufferedImage> readGif(Path file) throws IOException {
        ImageReader reader = ImageIO.getImageReadersByFormatName("gif").next();
        try (ImageInputStream in = ImageIO.createImageInputStream(new ByteArrayInputStream(Files.readAllBytes(file)))) {
            reader.setInput(in);
            List<BufferedImage> frames = new ArrayList<>();
            for (int i = 0; i < reader.getNumImages(true); i++) {
                frames.add(reader.read(i));
            }
            return frames;
        } finally {
            reader.dispose();
        }
    }

    private static String delay(ImageReader reader, int frame) throws IOException {
        var root = (IIOMetadataNode) reader.getImageMetadata(frame).getAsTree("javax_imageio_gif_image_1.0");
        return ((IIOMetadataNode)
                        root.getElementsByTagName("GraphicControlExtension").item(0))
                .getAttribute("delayTime");
    }

    private static void assertSame(Canvas actual, Canvas expected) {
        assertSame(actual.toBufferedImage(), expected);
    }

    private static void assertSame(BufferedImage actual, Canvas expected) {
        assertThat(actual.getWidth()).isEqualTo(expected.width());
        assertThat(actual.getHeight()).isEqualTo(expected.height());
        int different = 0;
        for (int y = 0; y < expected.height(); y++) {
            for (int x = 0; x < expected.width(); x++) {
                different += (actual.getRGB(x, y) & 0xffffff) == expected.rgb(x, y) ? 0 : 1;
            }
        }
        assertThat(different).isZero();
    }
}
