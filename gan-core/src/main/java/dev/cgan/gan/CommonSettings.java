package dev.cgan.gan;

import dev.cgan.nn.Module;
import dev.cgan.optim.Adam;
import dev.cgan.optim.Optimizer;
import dev.cgan.optim.Schedule;
import java.util.List;

/** The settings that all models have: Adam's, the schedule of the learning rate, the generator's average. */
public final class CommonSettings {
    private static final double ALMOST_ONE = 0.9999999;
    private static final List<String> SCHEDULES = List.of("constant", "linear", "cosine");

    private CommonSettings() {}

    static Settings.Builder add(Settings.Builder builder, double lr, double beta1, double beta2, double ema) {
        return builder.real("lr", lr, 1e-9, 10, "learning rate of all optimizers")
                .real("beta1", beta1, 0, ALMOST_ONE, "Adam's decay of the mean gradient")
                .real("beta2", beta2, 0, ALMOST_ONE, "Adam's decay of the squared gradient")
                .choice("schedule", "constant", SCHEDULES, "how the learning rate goes, down to 0 at the last step")
                .real(
                        "ema",
                        ema,
                        0,
                        ALMOST_ONE,
                        "decay of the generator's average, from which images are drawn; 0 = off");
    }

    static Optimizer adam(Module network, Settings settings) {
        Adam.Options options = Adam.Options.KERAS.withBetas(settings.real("beta1"), settings.real("beta2"));
        return new Adam(network.parameters(), settings.real("lr"), options);
    }

    /**
     * Reads the schedule of the learning rate.
     *
     * @param settings of any model
     * @param steps the number of the last step
     * @return the learning rate by step
     */
    public static Schedule schedule(Settings settings, long steps) {
        double lr = settings.real("lr");
        return switch (settings.text("schedule")) {
            case "linear" -> Schedule.linear(lr, 0, steps + 1);
            case "cosine" -> Schedule.cosine(lr, 0, steps + 1);
            default -> Schedule.constant(lr);
        };
    }

    /**
     * Reads the decay of the generator's average.
     *
     * @param settings of any model
     * @return the decay; 0 if there is to be no average
     */
    public static double average(Settings settings) {
        return settings.real("ema");
    }
}
