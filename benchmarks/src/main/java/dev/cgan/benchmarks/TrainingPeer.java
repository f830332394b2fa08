package dev.cgan.benchmarks;

import dev.cgan.data.MemoryDataset;
import dev.cgan.io.Json;
import dev.cgan.train.Progress;
import dev.cgan.train.TrainConfig;
import dev.cgan.train.TrainListener;
import dev.cgan.train.TrainStart;
import dev.cgan.train.Trainer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Trains a model as the command line does, in turns with rivals of other frameworks: prints a line of JSON when it is ready,
 * then answers each line of its input, a number of steps, with their seconds. A step's time is all that passes from the
 * end of the step before, the making of its batch included.
 *
 * <p>Arguments: {@code MODEL}, then {@code key=value} of {@link TrainConfig}, and {@code image=28x28x1}.
 */
public final class TrainingPeer implements TrainListener {
    private final BufferedReader requests =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    private final List<Double> seconds = new ArrayList<>();
    private Trainer trainer;
    private int left;
    private long began;

    private TrainingPeer() {}

    /**
     * Runs until its input ends.
     *
     * @param arguments the model and what to change about it
     * @throws IOException if its input or the training fails
     */
    public static void main(String[] arguments) throws IOException {
        Map<String, Object> values = new HashMap<>();
        values.put("model", arguments[0]);
        values.put("steps", 1_000_000);
        values.put("image", "28x28x1");
        for (String argument : List.of(arguments).subList(1, arguments.length)) {
            String[] pair = argument.split("=", 2);
            values.put(pair[0], pair[1]);
        }
        MemoryDataset images = RandomImages.of((String) values.remove("image"));
        TrainingPeer peer = new TrainingPeer();
        try (Trainer trainer = Trainer.create(TrainConfig.of(values), images, peer)) {
            peer.trainer = trainer;
            trainer.run();
        }
    }

    @Override
    public void onStart(TrainStart start) {
        say(Map.of("peer", "cgan", "model", start.model(), "device", start.device()));
        await();
    }

    @Override
    public void onStep(Progress progress) {
        seconds.add((System.nanoTime() - began) / 1e9);
        if (--left == 0) {
            say(Map.of(
                    "seconds",
                    List.copyOf(seconds),
                    "losses",
                    List.of(progress.discriminatorLoss(), progress.generatorLoss())));
            await();
        }
        began = System.nanoTime();
    }

    private void await() {
        try {
            String line = requests.readLine();
            if (line == null) {
                trainer.requestStop();
                return;
            }
            left = Integer.parseInt(line.trim());
            seconds.clear();
            began = System.nanoTime();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void say(Map<String, ?> answer) {
        System.out.println(Json.write(answer));
    }
}
