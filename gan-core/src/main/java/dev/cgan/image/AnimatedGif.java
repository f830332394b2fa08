package dev.cgan.image;

import dev.cgan.io.AtomicFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Turns the pictures of a run into an animation that repeats for ever. Only one picture is in memory at a time. */
public final class AnimatedGif {
    /** The most frames of an animation; of more pictures, evenly spaced ones are taken. */
    public static final int MAX_FRAMES = 200;

    private static final int LAST_FRAME_MILLIS = 2000;

    private AnimatedGif() {}

    /**
     * Writes an animation, atomically. Its last frame, always the last picture, stays for two seconds. Pictures of
     * another size than the last are left out.
     *
     * @param file the GIF file; its folder must exist
     * @param pictures PNG or JPEG files in order, at least one
     * @param frameMillis how long a frame is shown, in milliseconds
     * @throws dev.cgan.io.InvalidFileException if a picture is damaged
     * @throws IOException if the file system refuses
     */
    public static void write(Path file, List<Path> pictures, int frameMillis) throws IOException {
        if (pictures.isEmpty()) {
            throw new IllegalArgumentException("an animation needs at least one picture");
        }
        List<Path> chosen = choose(pictures);
        Canvas last = Canvas.of(ImageDecoder.decode(chosen.getLast()));
        AtomicFiles.writeStream(file, out -> {
            GifEncoder gif = new GifEncoder(out, last.width(), last.height());
            for (Path picture : chosen.subList(0, chosen.size() - 1)) {
                Canvas frame = Canvas.of(ImageDecoder.decode(picture));
                if (frame.width() == last.width() && frame.height() == last.height()) {
                    gif.frame(frame, frameMillis);
                }
            }
            gif.frame(last, LAST_FRAME_MILLIS);
            gif.finish();
        });
    }

    private static List<Path> choose(List<Path> pictures) {
        if (pictures.size() <= MAX_FRAMES) {
            return pictures;
        }
        List<Path> chosen = new ArrayList<>();
        for (int i = 0; i < MAX_FRAMES; i++) {
            chosen.add(pictures.get((int) ((long) i * (pictures.size() - 1) / (MAX_FRAMES - 1))));
        }
        return chosen;
    }
}
