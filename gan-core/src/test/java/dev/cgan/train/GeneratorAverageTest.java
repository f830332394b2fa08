package dev.cgan.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cgan.gan.Batch;
import dev.cgan.gan.Cgan;
import dev.cgan.gan.GanModel;
import dev.cgan.gan.Generator;
import dev.cgan.gan.GoldenRun;
import dev.cgan.gan.ModelType;
import dev.cgan.gan.Settings;
import dev.cgan.tensor.DType;
import dev.cgan.tensor.Device;
import dev.cgan.tensor.Tensor;
import dev.cgan.tensor.TensorScope;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class GeneratorAverageTest {
    @ParameterizedTest
    @EnumSource(
            value = DType.class,
            names = {"F32", "F64"})
    void averageOfTenStepsIsPyTorchs(DType dtype) throws IOException {
        try (Device device = Device.open("cpu");
                GoldenRun run = new GoldenRun("cgan-10", device, dtype)) {
            Settings settings = Cgan.TYPE
                    .defaults()
                    .with("width", run.integer("c1"))
                    .with("latent", run.integer("z"))
                    .with("hidden", run.integer("hidden"));
            ModelType.Plan plan = new ModelType.Plan(device, run.images(10), settings, 1, dtype);
            GanModel model = Cgan.TYPE.create(plan);
            run.start(model);
            Generator copy = Cgan.TYPE.createGenerator(plan);
            GeneratorAverage average = new GeneratorAverage(model.generator(), copy, settings.real("ema"));
            for (int step = 1; step <= 10; step++) {
                try (TensorScope _ = device.scope("step")) {
                    String prefix = GoldenRun.stepPrefix(step);
                    Batch real = new Batch(run.tensor(prefix + "real"), run.tensor(prefix + "labels"));
                    model.step(real, run.step(step, Map.of()));
                    average.at(step);
                    average.update();
                }
            }
            Map<String, Tensor> state = new LinkedHashMap<>();
            average.generator().stateDict().forEach((name, tensor) -> state.put(GoldenRun.goldenName(name), tensor));
            run.requireClose("ema.", state, dtype == DType.F64 ? 1e-9 : 1e-5);
            assertThat(state).containsKey("g_bn1.moving_variance");
        }
    }
}
