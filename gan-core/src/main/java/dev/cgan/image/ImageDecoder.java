package dev.cgan.image;

import dev.cgan.io.InvalidFileException;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import javax.imageio.IIOException;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.FileImageInputStream;

/**
 * Decodes PNG and JPEG files to 8-bit grey or RGB.
 *
 * <p>Samples are taken as stored: 16-bit ones keep their upper byte, colour profiles, gamma and EXIF rotation are
 * ignored, transparency is laid over white, of an animated PNG the first frame is read.
 */
public final class ImageDecoder {
    /** The largest height and width that is decoded. */
    public static final int MAX_SIDE = 16_384;

    /** The largest number of pixels that is decoded. */
    public static final long MAX_PIXELS = 1L << 26;

    private static final String REMEDY = "remove the file or save it again as PNG";

    private ImageDecoder() {}

    /**
     * Decodes a file, whose format is recognised by its content.
     *
     * @param path a PNG or JPEG file
     * @return its pixels, with 1 channel if it is stored as grey, else 3
     * @throws InvalidFileException if it is not such a file, corrupt, truncated, CMYK, or larger than {@link #MAX_SIDE}
     *     or {@link #MAX_PIXELS}, which is found before anything large is allocated
     * @throws IOException if it cannot be read
     */
    public static Pixels decode(Path path) throws IOException {
        String format = format(path);
        ImageReader reader = ImageIO.getImageReadersByFormatName(format).next();
        try (FileImageInputStream input = new FileImageInputStream(path.toFile())) {
            String[] damage = new String[1];
            reader.addIIOReadWarningListener((source, warning) -> {
                if (warning.contains("Premature") || warning.contains("runcated")) {
                    damage[0] = warning;
                }
            });
            reader.setInput(input, true, true);
            checkSize(path, reader.getWidth(0), reader.getHeight(0));
            BufferedImage image = reader.read(0);
            if (format.equals("jpeg") && image.getRaster().getNumBands() == 4) {
                throw cmyk(path, null);
            }
            Pixels pixels = pixels(image);
            if (damage[0] != null) {
                throw new InvalidFileException(path, "truncated " + format + " image: " + damage[0], REMEDY);
            }
            return pixels;
        } catch (InvalidFileException e) {
            throw e;
        } catch (IIOException e) {
            if (String.valueOf(e.getMessage()).contains("Unsupported Image Type")) {
                throw cmyk(path, e);
            }
            throw corrupt(path, format, e);
        } catch (IOException | RuntimeException e) {
            // The decoders meet damage with any unchecked exception there is.
            throw corrupt(path, format, e);
        } finally {
            reader.dispose();
        }
    }

    private static String format(Path path) throws IOException {
        byte[] start;
        try (InputStream in = Files.newInputStream(path)) {
            start = in.readNBytes(4);
        } catch (NoSuchFileException e) {
            throw new InvalidFileException(path, "no such file", "check the path", e);
        } catch (IOException e) {
            throw new InvalidFileException(path, "unreadable: " + e, "check its permissions", e);
        }
        if (start.length == 4 && (start[0] & 0xff) == 0x89 && start[1] == 'P' && start[2] == 'N' && start[3] == 'G') {
            return "png";
        }
        if (start.length == 4 && (start[0] & 0xff) == 0xff && (start[1] & 0xff) == 0xd8 && (start[2] & 0xff) == 0xff) {
            return "jpeg";
        }
        throw new InvalidFileException(path, start.length == 0 ? "empty file" : "not a PNG or JPEG image", REMEDY);
    }

    private static void checkSize(Path path, int width, int height) throws InvalidFileException {
        if (width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE || (long) width * height > MAX_PIXELS) {
            throw new InvalidFileException(
                    path,
                    "image of " + width + "x" + height + " pixels, at most " + MAX_SIDE + " a side and " + MAX_PIXELS
                            + " in all are decoded",
                    "remove the file or scale it down");
        }
    }

    private static Pixels pixels(BufferedImage image) {
        ColorModel colors = image.getColorModel();
        Raster raster = image.getRaster();
        int bands = raster.getNumBands();
        if (colors instanceof IndexColorModel palette) {
            return indexed(raster, palette);
        }
        boolean alpha = bands == 2 || bands == 4;
        int channels = bands <= 2 ? 1 : 3;
        byte[] out = new byte[image.getHeight() * image.getWidth() * channels];
        int[] row = new int[image.getWidth() * bands];
        int shift = raster.getSampleModel().getSampleSize(0) - 8;
        int at = 0;
        for (int y = 0; y < image.getHeight(); y++) {
            raster.getPixels(raster.getMinX(), raster.getMinY() + y, image.getWidth(), 1, row);
            for (int x = 0; x < row.length; x += bands) {
                int opacity = alpha ? row[x + bands - 1] >> shift : 255;
                for (int c = 0; c < channels; c++) {
                    out[at++] = overWhite(row[x + c] >> shift, opacity);
                }
            }
        }
        return new Pixels(image.getHeight(), image.getWidth(), channels, out);
    }

    private static Pixels indexed(Raster raster, IndexColorModel palette) {
        int size = palette.getMapSize();
        boolean grey = true;
        for (int i = 0; i < size; i++) {
            grey &= palette.getRed(i) == palette.getGreen(i) && palette.getGreen(i) == palette.getBlue(i);
        }
        int channels = grey ? 1 : 3;
        byte[] out = new byte[raster.getHeight() * raster.getWidth() * channels];
        int at = 0;
        for (int y = 0; y < raster.getHeight(); y++) {
            for (int x = 0; x < raster.getWidth(); x++) {
                int rgb = palette.getRGB(raster.getSample(x, y, 0));
                for (int c = 0; c < channels; c++) {
                    out[at++] = overWhite(rgb >> (16 - 8 * c) & 0xff, rgb >>> 24);
                }
            }
        }
        return new Pixels(raster.getHeight(), raster.getWidth(), channels, out);
    }

    private static byte overWhite(int value, int opacity) {
        return (byte) ((value * opacity + 255 * (255 - opacity) + 127) / 255);
    }

    private static InvalidFileException cmyk(Path path, Exception cause) {
        return new InvalidFileException(path, "a CMYK or YCCK image", "convert it to RGB", cause);
    }

    private static InvalidFileException corrupt(Path path, String format, Exception e) {
        return new InvalidFileException(path, "corrupt " + format + " image: " + e.getMessage(), REMEDY, e);
    }
}
