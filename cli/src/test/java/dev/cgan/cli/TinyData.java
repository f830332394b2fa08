package dev.cgan.cli;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;

/** Forty noisy images of 8x8 in three classes, as IDX files, and the options of networks that learn them in no time. */
final class TinyData {
    private static final int IMAGES = 40;
    private static final int SIDE = 8;

    private TinyData() {}

    /** {@return the value of {@code --data}} */
    static String write(Path folder) throws IOException {
        Random random = new Random(4);
        ByteBuffer images = ByteBuffer.allocate(16 + IMAGES * SIDE * SIDE);
        images.putInt(0x803).putInt(IMAGES).putInt(SIDE).putInt(SIDE);
        ByteBuffer labels = ByteBuffer.allocate(8 + IMAGES);
        labels.putInt(0x801).putInt(IMAGES);
        for (int i = 0; i < IMAGES; i++) {
            byte[] pixels = new byte[SIDE * SIDE];
            random.nextBytes(pixels);
            images.put(pixels);
            labels.put((byte) (i % 3));
        }
        Path imageFile = Files.write(folder.resolve("tiny-images"), images.array());
        Path labelFile = Files.write(folder.resolve("tiny-labels"), labels.array());
        return imageFile + "," + labelFile;
    }

    /** {@return a command line that trains a tiny cgan, with more options at its end} */
    static String[] train(Path folder, String... more) throws IOException {
        String[] start = {
            "train",
            "--data",
            write(folder),
            "--batch",
            "4",
            "--device",
            "cpu",
            "--threads",
            "1",
            "--set",
            "width=2",
            "--set",
            "latent=3",
            "--set",
            "hidden=5"
        };
        String[] all = new String[start.length + more.length];
        System.arraycopy(start, 0, all, 0, start.length);
        System.arraycopy(more, 0, all, start.length, more.length);
        return all;
    }
}
