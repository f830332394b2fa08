package dev.cgan.cli;

import dev.cgan.data.Dataset;
import dev.cgan.io.ConfigException;
import dev.cgan.nn.LayerInfo;
import dev.cgan.train.Progress;
import dev.cgan.train.TrainConfig;
import dev.cgan.train.TrainListener;
import dev.cgan.train.TrainStart;
import dev.cgan.train.Trainer;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Shows networks, memory and time of a training, measured by making a few steps that are thrown away. */
final class DryRun {
    private static final int STEPS = 3;

    private DryRun() {}

    static void print(PrintWriter out, TrainConfig config, Dataset data) throws IOException {
        TrainConfig few = config.with(Map.of("steps", STEPS, "trace", 0));
        List<Double> seconds = new ArrayList<>();
        TrainListener listener = new TrainListener() {
            @Override
            public void onStart(TrainStart start) {
                out.println("model   " + start.model() + " " + config.settings());
                out.println("data    " + start.data());
                out.println("device  " + start.device().strip().replace("\n", "\n        "));
            }

            @Override
            public void onStep(Progress progress) {
                seconds.add(progress.seconds());
            }
        };
        try (Trainer trainer = create(few, data, listener)) {
            trainer.run();
            for (var network : trainer.describe().entrySet()) {
                table(out, network.getKey(), network.getValue());
            }
            double step = seconds.stream()
                    .skip(1)
                    .mapToDouble(Double::doubleValue)
                    .average()
                    .orElseThrow();
            out.printf(
                    "%nmemory  %s of device memory at the peak%n",
                    Units.bytes(trainer.memory().peakBytes() + trainer.memory().nativeWorkspaceBytes()));
            out.printf(
                    Locale.ROOT,
                    "time    %.3f s a step of %d images, %s for %d steps%n",
                    step,
                    config.batch(),
                    Units.duration(step * config.steps()),
                    config.steps());
            out.println("(measured by " + STEPS + " steps, whose results are thrown away)");
        }
        out.flush();
    }

    private static Trainer create(TrainConfig config, Dataset data, TrainListener listener) {
        try {
            return Trainer.create(config, data, listener);
        } catch (IllegalArgumentException e) {
            throw new ConfigException(e.getMessage(), e);
        }
    }

    private static void table(PrintWriter out, String name, List<LayerInfo> layers) {
        int typeWidth =
                layers.stream().mapToInt(layer -> layer.type().length()).max().orElse(0);
        String format = "  %-16s %-" + typeWidth + "s  %-18s %12s%n";
        out.printf("%n%s%n", name);
        out.printf(format, "layer", "type", "output", "parameters");
        for (LayerInfo layer : layers) {
            out.printf(format, layer.name(), layer.type(), layer.output(), Units.count(layer.parameters()));
        }
        long total = layers.stream().mapToLong(LayerInfo::parameters).sum();
        out.printf(format, "in all", "", "", Units.count(total));
    }
}
