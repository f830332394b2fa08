package dev.cgan.image;

import java.awt.image.BufferedImage;
import java.util.Arrays;

/**
 * An RGB picture to draw on: rectangles, text, anti-aliased lines. Colours are {@code 0xRRGGBB}; whatever lies outside
 * the picture is not drawn.
 */
public final class Canvas {
    private final int width;
    private final int height;
    private final int[] rgb;

    /**
     * Creates a picture of one colour.
     *
     * @param width columns
     * @param height rows
     * @param background its colour
     */
    public Canvas(int width, int height, int background) {
        if (width < 1 || height < 1) {
            throw new IllegalArgumentException("no picture is " + width + "x" + height);
        }
        this.width = width;
        this.height = height;
        rgb = new int[Math.multiplyExact(width, height)];
        Arrays.fill(rgb, background);
    }

    /**
     * Copies an image.
     *
     * @param pixels grey or colour
     * @return a picture of the same size
     */
    public static Canvas of(Pixels pixels) {
        Canvas canvas = new Canvas(pixels.width(), pixels.height(), 0);
        byte[] data = pixels.withChannels(3).data();
        for (int i = 0; i < canvas.rgb.length; i++) {
            canvas.rgb[i] = (data[3 * i] & 0xff) << 16 | (data[3 * i + 1] & 0xff) << 8 | (data[3 * i + 2] & 0xff);
        }
        return canvas;
    }

    /** {@return columns} */
    public int width() {
        return width;
    }

    /** {@return rows} */
    public int height() {
        return height;
    }

    /**
     * {@return the colour of a pixel}
     *
     * @param x column
     * @param y row
     */
    public int rgb(int x, int y) {
        return rgb[y * width + x];
    }

    /** {@return whether every pixel is a shade of grey} */
    public boolean isGrey() {
        for (int color : rgb) {
            if ((color >> 16 & 0xff) != (color & 0xff) || (color >> 8 & 0xff) != (color & 0xff)) {
                return false;
            }
        }
        return true;
    }

    /**
     * Fills a rectangle.
     *
     * @param x left column
     * @param y upper row
     * @param columns its width
     * @param rows its height
     * @param color its colour
     */
    public void fill(int x, int y, int columns, int rows, int color) {
        int left = Math.max(0, x);
        int right = Math.min(width, x + columns);
        for (int row = Math.max(0, y); row < Math.min(height, y + rows); row++) {
            if (left < right) {
                Arrays.fill(rgb, row * width + left, row * width + right, color);
            }
        }
    }

    /**
     * Mixes a colour into a pixel.
     *
     * @param x column
     * @param y row
     * @param color the colour
     * @param opacity from 0 (nothing changes) to 1 (the pixel takes the colour)
     */
    public void blend(int x, int y, int color, double opacity) {
        if (x < 0 || y < 0 || x >= width || y >= height) {
            return;
        }
        int old = rgb[y * width + x];
        int mixed = 0;
        for (int shift = 16; shift >= 0; shift -= 8) {
            int from = old >> shift & 0xff;
            int to = color >> shift & 0xff;
            mixed |= (int) Math.round(from + (to - from) * opacity) << shift;
        }
        rgb[y * width + x] = mixed;
    }

    /**
     * Writes text in a font of 5 by 7 pixels, spaced by one, with 2 pixels below the line.
     *
     * @param x left column
     * @param y upper row
     * @param text printable ASCII; other characters become question marks
     * @param scale how many pixels a dot of the font has in each direction
     * @param color its colour
     */
    public void text(int x, int y, String text, int scale, int color) {
        for (int i = 0; i < text.length(); i++) {
            int left = x + i * (BitmapFont.WIDTH + 1) * scale;
            for (int row = 0; row < BitmapFont.HEIGHT; row++) {
                for (int column = 0; column < BitmapFont.WIDTH; column++) {
                    if (BitmapFont.isSet(text.charAt(i), column, row)) {
                        fill(left + column * scale, y + row * scale, scale, scale, color);
                    }
                }
            }
        }
    }

    /**
     * {@return the columns that a text takes}
     *
     * @param text the text
     * @param scale as for {@link #text}
     */
    public static int textWidth(String text, int scale) {
        return text.isEmpty() ? 0 : (text.length() * (BitmapFont.WIDTH + 1) - 1) * scale;
    }

    /**
     * {@return the rows that a text takes, with those below the line}
     *
     * @param scale as for {@link #text}
     */
    public static int textHeight(int scale) {
        return BitmapFont.HEIGHT * scale;
    }

    /**
     * Draws connected lines, anti-aliased. Where they overlap themselves they do not get darker. A point that is not
     * finite interrupts the line, and a point alone is a dot.
     *
     * @param xs columns of the points; 0.5 is the middle of the first column
     * @param ys rows of the points, as many
     * @param thickness in pixels
     * @param color its colour
     * @param opacity from 0 to 1
     */
    public void polyline(double[] xs, double[] ys, double thickness, int color, double opacity) {
        float[] coverage = new float[rgb.length];
        for (int i = 0; i < xs.length; i++) {
            if (Double.isFinite(xs[i] + ys[i])) {
                int from = i > 0 && Double.isFinite(xs[i - 1] + ys[i - 1]) ? i - 1 : i;
                cover(coverage, xs[from], ys[from], xs[i], ys[i], thickness / 2);
            }
        }
        for (int i = 0; i < coverage.length; i++) {
            if (coverage[i] > 0) {
                blend(i % width, i / width, color, coverage[i] * opacity);
            }
        }
    }

    private void cover(float[] coverage, double x0, double y0, double x1, double y1, double radius) {
        double dx = x1 - x0;
        double dy = y1 - y0;
        double squaredLength = dx * dx + dy * dy;
        int left = (int) Math.max(0, Math.floor(Math.min(x0, x1) - radius - 1));
        int right = (int) Math.min(width - 1, Math.ceil(Math.max(x0, x1) + radius + 1));
        int top = (int) Math.max(0, Math.floor(Math.min(y0, y1) - radius - 1));
        int bottom = (int) Math.min(height - 1, Math.ceil(Math.max(y0, y1) + radius + 1));
        for (int y = top; y <= bottom; y++) {
            for (int x = left; x <= right; x++) {
                double px = x + 0.5 - x0;
                double py = y + 0.5 - y0;
                double along = squaredLength == 0 ? 0 : Math.clamp((px * dx + py * dy) / squaredLength, 0.0, 1.0);
                double offX = px - along * dx;
                double offY = py - along * dy;
                double distance = Math.sqrt(offX * offX + offY * offY);
                float covered = (float) Math.clamp(radius + 0.5 - distance, 0.0, 1.0);
                coverage[y * width + x] = Math.max(coverage[y * width + x], covered);
            }
        }
    }

    /** {@return the same picture for Java's image classes, of type {@link BufferedImage#TYPE_INT_RGB}} */
    public BufferedImage toBufferedImage() {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        image.setRGB(0, 0, width, height, rgb, 0, width);
        return image;
    }
}
