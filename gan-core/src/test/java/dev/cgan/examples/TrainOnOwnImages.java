package dev.cgan.examples;

import dev.cgan.Training;
import dev.cgan.data.MemoryDataset;
import dev.cgan.image.Pixels;
import dev.cgan.train.Progress;
import dev.cgan.train.TrainListener;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Trains on an application's own images, and watches. */
public final class TrainOnOwnImages {
    private TrainOnOwnImages() {}

    /** Trains for some steps and keeps the run in a folder, ready for {@code TrainedGenerator.load}. */
    public static void train(List<Pixels> images, int[] labels, List<String> names, Path run) throws IOException {
        TrainListener watcher = new TrainListener() {
            @Override
            public void onStep(Progress step) {
                System.out.printf("%d: D(x) %.2f, D(G(z)) %.2f%n", step.step(), step.real(), step.fake());
            }
        };
        MemoryDataset data = MemoryDataset.of("mine", images, labels, names);
        Training.builder()
                .data(data)
                .steps(20)
                .set("width", 8)
                .listener(watcher)
                .out(run)
                .run();
    }
}
