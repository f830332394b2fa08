/**
 * Pictures on the host: decoding and resampling, grids of samples, loss curves, PNG and animated GIF.
 *
 * <p>Drawing uses no font, window system or native toolkit, so that it works on a bare headless machine; only decoding
 * PNG and JPEG files, and {@link java.awt.image.BufferedImage} as a result type, come from {@code java.desktop}.
 */
package dev.cgan.image;
