package dev.cgan.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cgan.tensor.DType;
import dev.cgan.tensor.Device;
import dev.cgan.tensor.Shape;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openjdk.jmh.runner.options.CommandLineOptions;

class KernelBenchmarkTest {
    @TempDir
    private Path out;

    @Test
    void aRunWritesATableAndAPlot() throws Exception {
        BenchmarkMain.kernels(arguments("-p", "kernels=handwritten,reference", "-p", "operator=dense_forward"));
        List<String> table = Files.readAllLines(out.resolve("kernels-cpu-threads-1.md"));
        assertThat(table.subList(0, 2))
                .allMatch(line -> line.startsWith("cpu: ") && line.contains(" kernels"))
                .doesNotHaveDuplicates();
        String number = "[0-9]+[.][0-9]+";
        assertThat(table.stream().filter(line -> line.startsWith("| dense_forward |")))
                .hasSize(3)
                .allMatch(line -> line.matches(
                        ".*\\| %1$s \\| [0-9]+ \\| %1$s \\| %1$s \\| [0-9]+ \\| %1$s \\| %1$s \\|".formatted(number)));
        assertThat(Files.readAllLines(out.resolve("kernels-cpu-threads-1.csv"))).hasSize(1 + 2 * 3);
        assertThat(ImageIO.read(out.resolve("kernels-cpu-threads-1.png").toFile())
                        .getWidth())
                .isGreaterThan(600);
    }

    @Test
    void kernelsThatCannotBeHadAreNotReplacedByOthers() {
        assertThatThrownBy(() -> BenchmarkMain.kernels(arguments("-p", "kernels=handwritten,magic")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("kernels=magic cannot be measured: ")
                .hasMessageContaining("-p kernels=handwritten,reference");
        assertThatThrownBy(() -> BenchmarkMain.kernels(arguments("-p", "operator=fft")))
                .hasMessageContaining("no layer of report calls such a one");
    }

    @Test
    void everyOperatorOfEveryModelIsServedByTheCandidateThatIsAskedFor() {
        for (Problem problem : ModelProblems.of(List.of("report", "cgan", "dcgan:16x16x3", "wgan-gp:8x8x1"), 2)) {
            try (Trial trial = Trial.open("cpu?threads=1", "handwritten", problem)) {
                assertThat(trial.servedBy()).as(problem.id()).isEqualTo(Set.of("handwritten"));
            }
        }
    }

    @Test
    void countsAreReadFromTheDevicesDescription() {
        try (Device device = Device.open("cpu?threads=1&kernels=reference")) {
            Served before = Served.of(device, "fill");
            assertThat(Served.of(device, "fill").since(before)).isEmpty();
            device.zeros(DType.F32, Shape.of(3));
            assertThat(Served.of(device, "fill").since(before)).containsExactly("reference");
        }
    }

    @Test
    void aPacedTrainingMakesTheStepsThatAreAskedFor() {
        StepBenchmark benchmark = new StepBenchmark();
        benchmark.model = "wgan-gp:8x8x1";
        benchmark.device = "cpu?threads=1";
        benchmark.graph = "auto";
        benchmark.batch = 2;
        benchmark.open();
        benchmark.step();
        benchmark.step();
        benchmark.close();
    }

    private CommandLineOptions arguments(String... more) throws Exception {
        String settings =
                "KernelBenchmark -f 0 -wi 0 -i 1 -r 1ms -v SILENT -p device=cpu?threads=1 -p models=report -p batch=2"
                        + " -p out=" + out;
        List<String> all = new ArrayList<>(List.of(settings.split(" ")));
        all.addAll(List.of(more));
        return new CommandLineOptions(all.toArray(String[]::new));
    }
}
