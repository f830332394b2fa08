package dev.cgan.image;

/**
 * Draws many images as one picture, row by row, with a title above.
 *
 * @param columns images in a row; 0 for the smallest number whose square holds all, ceil(sqrt(n))
 * @param gap pixels between images, before zooming
 * @param zoom how many pixels a pixel of an image gets in each direction; 0 for as many as make the picture about 640
 *     pixels wide, at most 8
 * @param title one line of text, empty for none
 */
public record ImageGrid(int columns, int gap, int zoom, String title) {
    private static final int BACKGROUND = 0xffffff;
    private static final int INK = 0x202020;
    private static final int TARGET_WIDTH = 640;
    private static final int LARGEST_ZOOM = 8;
    private static final int MARGIN = 4;

    /** Checks the values. */
    public ImageGrid {
        if (columns < 0 || gap < 0 || zoom < 0) {
            throw new IllegalArgumentException(
                    "columns " + columns + ", gap " + gap + ", zoom " + zoom + ": none may be negative");
        }
    }

    /** {@return a grid without title, one pixel between images, size and columns as the images demand} */
    public static ImageGrid defaults() {
        return new ImageGrid(0, 1, 0, "");
    }

    /**
     * {@return this grid with another number of columns}
     *
     * @param count as the component
     */
    public ImageGrid withColumns(int count) {
        return new ImageGrid(count, gap, zoom, title);
    }

    /**
     * {@return this grid with another title}
     *
     * @param text as the component
     */
    public ImageGrid withTitle(String text) {
        return new ImageGrid(columns, gap, zoom, text);
    }

    /**
     * {@return this grid with another zoom}
     *
     * @param factor as the component
     */
    public ImageGrid withZoom(int factor) {
        return new ImageGrid(columns, gap, factor, title);
    }

    /**
     * {@return this grid with another gap}
     *
     * @param pixels as the component
     */
    public ImageGrid withGap(int pixels) {
        return new ImageGrid(columns, pixels, zoom, title);
    }

    /**
     * Converts a value in [-1, 1] to a pixel: the integer part of x * 127.5 + 127.5, limited to 0 to 255; NaN gives 0.
     *
     * @param value the value
     * @return the pixel, from 0 to 255
     */
    public static int toPixel(float value) {
        return (int) Math.max(0f, Math.min(255f, value * 127.5f + 127.5f));
    }

    /**
     * Converts values in [-1, 1] to pixels, as {@link #toPixel} does.
     *
     * @param values any values
     * @return as many unsigned bytes
     */
    public static byte[] toPixels(float[] values) {
        byte[] pixels = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            pixels[i] = (byte) toPixel(values[i]);
        }
        return pixels;
    }

    /**
     * Draws images of values in [-1, 1].
     *
     * @param images [n, height, width, channels]
     * @param height rows of an image
     * @param width columns of an image
     * @param channels 1 or 3
     * @return the picture
     */
    public Canvas draw(float[] images, int height, int width, int channels) {
        return draw(toPixels(images), height, width, channels);
    }

    /**
     * Draws images of unsigned bytes.
     *
     * @param images [n, height, width, channels], at least one image
     * @param height rows of an image
     * @param width columns of an image
     * @param channels 1 or 3
     * @return the picture
     */
    public Canvas draw(byte[] images, int height, int width, int channels) {
        int bytes = height * width * channels;
        if (images.length == 0 || images.length % bytes != 0) {
            throw new IllegalArgumentException(
                    images.length + " bytes are no images of " + height + "x" + width + "x" + channels);
        }
        int count = images.length / bytes;
        int across = columns > 0 ? columns : (int) Math.ceil(Math.sqrt(count));
        int down = (count + across - 1) / across;
        int factor = zoom > 0 ? zoom : Math.clamp(TARGET_WIDTH / ((long) across * (width + gap)), 1, LARGEST_ZOOM);
        int gridWidth = (across * (width + gap) - gap) * factor;
        int gridHeight = (down * (height + gap) - gap) * factor;
        int scale = titleScale(gridWidth);
        int top = title.isEmpty() ? 0 : Canvas.textHeight(scale) + 2 * MARGIN;
        Canvas canvas = new Canvas(gridWidth, top + gridHeight, BACKGROUND);
        if (top > 0) {
            canvas.text((gridWidth - Canvas.textWidth(title, scale)) / 2, MARGIN, title, scale, INK);
        }
        for (int i = 0; i < count; i++) {
            int x = i % across * (width + gap) * factor;
            int y = top + i / across * (height + gap) * factor;
            drawOne(canvas, images, i * bytes, new int[] {height, width, channels}, x, y, factor);
        }
        return canvas;
    }

    private int titleScale(int gridWidth) {
        return Canvas.textWidth(title, 2) + 2 * MARGIN <= gridWidth ? 2 : 1;
    }

    private static void drawOne(Canvas canvas, byte[] images, int offset, int[] shape, int x, int y, int factor) {
        int width = shape[1];
        int channels = shape[2];
        for (int row = 0; row < shape[0]; row++) {
            for (int column = 0; column < width; column++) {
                int at = offset + (row * width + column) * channels;
                int red = images[at] & 0xff;
                int green = images[at + channels / 2] & 0xff;
                int blue = images[at + channels - 1] & 0xff;
                canvas.fill(x + column * factor, y + row * factor, factor, factor, red << 16 | green << 8 | blue);
            }
        }
    }
}
