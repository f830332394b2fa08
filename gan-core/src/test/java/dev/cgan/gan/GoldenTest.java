package dev.cgan.gan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cgan.tensor.DType;
import dev.cgan.tensor.Device;
import dev.cgan.tensor.Tensor;
import dev.cgan.tensor.TensorScope;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Our models against PyTorch's, step by step, from the same weights, data and noise. PyTorch ran in float64; a float32 run
 * of PyTorch's own follows its float64 one to about 1e-6.
 */
class GoldenTest {
    private static double tolerance(DType dtype) {
        return dtype == DType.F64 ? 1e-9 : 1e-5;
    }

    private static Settings sized(ModelType type, GoldenRun run) {
        Settings settings = type.defaults()
                .with("width", run.integer(type == WganGp.TYPE ? "dim" : "c1"))
                .with("latent", run.integer("z"));
        return settings.has("hidden") ? settings.with("hidden", run.integer("hidden")) : settings;
    }

    @ParameterizedTest
    @EnumSource(
            value = DType.class,
            names = {"F32", "F64"})
    void reportFollowsPyTorchForTenSteps(DType dtype) throws IOException {
        follow(Report.TYPE, "report-10", 1, dtype);
    }

    @ParameterizedTest
    @EnumSource(
            value = DType.class,
            names = {"F32", "F64"})
    void cganFollowsPyTorchForTenSteps(DType dtype) throws IOException {
        follow(Cgan.TYPE, "cgan-10", 10, dtype);
    }

    @ParameterizedTest
    @EnumSource(
            value = DType.class,
            names = {"F32", "F64"})
    void wganGpFollowsPyTorchForTenSteps(DType dtype) throws IOException {
        follow(WganGp.TYPE, "wgan-gp-10", 1, dtype);
    }

    @ParameterizedTest
    @EnumSource(
            value = DType.class,
            names = {"F32", "F64"})
    void reportHasPyTorchsGradients(DType dtype) throws IOException {
        try (Device device = Device.open("cpu");
                GoldenRun run = new GoldenRun("report-grad", device, dtype)) {
            GanModel model = create(Report.TYPE, run, 1, device, dtype);
            run.start(model);
            Map<String, Tensor> gradients = new LinkedHashMap<>();
            for (Network network : model.networks()) {
                network.onGradients(list -> {
                    for (int i = 0; i < list.size(); i++) {
                        gradients.put(
                                network.player().parameters().get(i).name(),
                                list.get(i).copy());
                    }
                });
            }
            model.step(batch(run, 1, device, dtype), run.step(1, Map.of()));
            assertThat(gradients).hasSize(16);
            run.requireClose("grad.", gradients, tolerance(dtype));
        }
    }

    private static void follow(ModelType type, String file, int classes, DType dtype) throws IOException {
        try (Device device = Device.open("cpu");
                GoldenRun run = new GoldenRun(file, device, dtype)) {
            GanModel model = create(type, run, classes, device, dtype);
            run.start(model);
            List<?> losses = run.losses();
            assertThat(losses).hasSize(10);
            for (int number = 1; number <= losses.size(); number++) {
                try (TensorScope _ = device.scope("step")) {
                    GoldenStep step = run.step(number, Map.of());
                    Losses got = model.step(batch(run, number, device, dtype), step);
                    requireAllDrawsUsed(run, number, step);
                    compare(number, (Map<?, ?>) losses.get(number - 1), got, tolerance(dtype));
                }
            }
            run.requireClose("final.", GoldenRun.state(model), tolerance(dtype));
        }
    }

    private static GanModel create(ModelType type, GoldenRun run, int classes, Device device, DType dtype) {
        return type.create(new ModelType.Plan(device, run.images(classes), sized(type, run), 1, dtype));
    }

    private static Batch batch(GoldenRun run, int number, Device device, DType dtype) {
        String prefix = GoldenRun.stepPrefix(number);
        List<Tensor> parts = new ArrayList<>();
        for (int k = 1; run.has(prefix + "critic" + k + ".real"); k++) {
            parts.add(run.tensor(prefix + "critic" + k + ".real"));
        }
        Tensor images = parts.isEmpty() ? run.tensor(prefix + "real") : Tensor.concat(0, parts.toArray(Tensor[]::new));
        Tensor labels =
                run.has(prefix + "labels") ? run.tensor(prefix + "labels") : device.ints(new int[(int) images.dim(0)]);
        assertThat(images.dtype()).isEqualTo(dtype);
        return new Batch(images, labels);
    }

    private static void requireAllDrawsUsed(GoldenRun run, int number, GoldenStep step) {
        long inputs = run.count(GoldenRun.stepPrefix(number));
        long read = step.used().stream()
                .filter(name -> run.has(GoldenRun.stepPrefix(number) + name))
                .count();
        assertThat(step.used()).hasSize((int) read);
        long data = inputs - read;
        assertThat(data).as("inputs that are not draws: images and labels").isIn(1L, 2L, 5L);
    }

    private static void compare(int number, Map<?, ?> wanted, Losses got, double tolerance) {
        Map<String, Double> figures = new HashMap<>();
        figures.put("d_loss", (double) got.discriminator().item());
        figures.put("g_loss", (double) got.generator().item());
        figures.put("d_real", (double) got.real().mean().item());
        figures.put("d_fake", (double) got.fake().mean().item());
        Map<?, ?> critic = wanted.get("critic") instanceof List<?> updates ? (Map<?, ?>) updates.getLast() : wanted;
        figures.forEach((name, value) -> {
            Object expected = critic.containsKey(name) ? critic.get(name) : wanted.get(name);
            // Figures leave the device as float32.
            GoldenRun.requireClose(
                    "step " + number + " " + name, ((Number) expected).doubleValue(), value, Math.max(tolerance, 1e-6));
        });
    }
}
