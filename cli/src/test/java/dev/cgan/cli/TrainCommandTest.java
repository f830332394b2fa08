package dev.cgan.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cgan.bindings.NativeCalls;
import dev.cgan.io.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TrainCommandTest {
    @TempDir
    Path folder;

    private Path run;

    @BeforeEach
    void name() {
        run = folder.resolve("run");
    }

    private Cli train(String... more) throws IOException {
        return Cli.call(TinyData.train(folder, more));
    }

    private Cli trained(int steps) throws IOException {
        Cli cli = train("--steps", Integer.toString(steps), "--out", run.toString(), "--sample-every", "2");
        assertThat(cli.err()).isEmpty();
        assertThat(cli.code()).isZero();
        return cli;
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--steps 0 | steps must be at least 1, not 0",
                "--steps -5 | steps must be at least 1, not -5",
                "--batch 0 | batch must be in 1 to 1000000, not 0",
                "--batch -1 | batch must be in 1 to 1000000, not -1",
                "--threads -1 | threads must be in 0 to 256, not -1",
                "--threads 257 | threads must be in 0 to 256, not 257",
                "--sample-every -1 | sample_every must be at least 0, not -1",
                "--checkpoint-every -1 | checkpoint_every must be at least 0, not -1",
                "--keep 0 | keep must be in 1 to 1000000, not 0",
                "--trace -2 | trace must be at least 0, not -2",
                "--image-size -4 | image_size must be in 0 to 1024, not -4",
                "--channels 2 | channels must be 1 (grey) or 3 (colour), not 2",
                "--lr 0 | lr must be in 1.0E-9 to 10.0, not 0.0",
                "--lr -0.1 | lr must be in 1.0E-9 to 10.0, not -0.1",
                "--beta1 1 | beta1 must be in 0.0 to 0.9999999, not 1.0",
                "--ema 1.5 | ema must be in 0.0 to 0.9999999, not 1.5",
                "--objective hing | objective must be one of non-saturating, minimax, least-squares, hinge,"
                        + " wasserstein, not 'hing'",
                "--set width=0 | width must be in 1 to 4096, not 0",
                "--set widht=8 | unknown setting 'widht' of model cgan; did you mean width?",
                "--steps ten | Invalid value for option '--steps': 'ten' is not a whole number",
                "--steps 99999999999 | Invalid value for option '--steps': '99999999999' is not in -2147483648 to 2147483647",
                "--seed 1e3 | Invalid value for option '--seed': '1e3' is not a whole number",
                "--lr fast | Invalid value for option '--lr': 'fast' is not a number",
                "--lr NaN | lr must be in 1.0E-9 to 10.0, not NaN",
                "--set width | --set takes KEY=VALUE, such as width=32, not 'width'",
                "--set =3 | --set takes KEY=VALUE, such as width=32, not '=3'",
                "--precision fp16 | precision must be fp32 or tf32, not 'fp16'",
                "--precision tf32 --device cpu | context_create: device cpu has no precision=tf32...",
                "--precision fp32 --device sim?precision=tf32 | precision is fp32, but device 'sim?precision=tf32' says"
                        + " tf32; say it once",
                "--conditional | --conditional is an option of report; cgan always sees the labels, leave it out",
                "dcgan --conditional | unknown setting 'conditional' of model dcgan; choose one of ...",
                "--stepps 5 | Unknown option: '--stepps'",
                "cgna | unknown model 'cgna'; did you mean cgan?",
                "wgan-gp --objective hinge | unknown setting 'objective' of model wgan-gp; choose one of ..."
            })
    void wrongOptionsAreUsageErrorsOfOneLine(String options, String message) throws IOException {
        String[] args = ("train " + options + " --out " + run).split(" ");
        Cli cli = Cli.call(args);
        assertThat(cli.code()).isEqualTo(2);
        assertThat(cli.out()).isEmpty();
        assertThat(cli.err()).endsWith("try: cgan-cli train --help\n");
        if (message.endsWith("...")) {
            assertThat(cli.err()).startsWith("error: " + message.replace("...", ""));
        } else {
            assertThat(cli.err().lines().findFirst()).contains("error: " + message);
        }
        assertThat(run).doesNotExist();
    }

    @Test
    void runHasItsFolderAndSaysWhatToDoNext() throws IOException {
        Cli cli = trained(6);
        assertThat(cli.out())
                .contains("model   cgan\n", "40 images of 8x8x1 in 3 classes", "run     " + run, "step 6/6")
                .endsWith("done; draw from it with: cgan-cli sample " + run + "\n");
        for (String file : new String[] {
            "config.json",
            "metrics.jsonl",
            "losses.png",
            "training.gif",
            "samples/0002.png",
            "samples/0006.png",
            "checkpoints/step-00000006.safetensors"
        }) {
            assertThat(run.resolve(file)).isRegularFile();
        }
        assertThat(Files.readAllLines(run.resolve("metrics.jsonl"))).hasSize(6);
    }

    @Test
    void modelMayFollowTheData() throws IOException {
        String[] files = TinyData.write(folder).split(",");
        Cli cli = Cli.call(
                "train",
                "--steps",
                "1",
                "--batch",
                "4",
                "--set",
                "width=2",
                "--out",
                run.toString(),
                "--data",
                files[0],
                files[1],
                "dcgan");
        assertThat(cli.code()).as(cli.err()).isZero();
        assertThat(cli.out()).startsWith("model   dcgan\n");
    }

    @Test
    void quietPrintsNothing() throws IOException {
        Cli cli = train("--steps", "2", "--out", run.toString(), "--quiet", "--sample-every", "0");
        assertThat(cli).isEqualTo(new Cli(0, "", ""));
        assertThat(run.resolve("samples")).isEmptyDirectory();
        assertThat(run.resolve("training.gif")).doesNotExist();
    }

    @Test
    void resumeGoesOnWhereTheRunStopped() throws IOException {
        trained(4);
        Cli cli = Cli.call("train", "--resume", run.toString(), "--steps", "9");
        assertThat(cli.err()).isEmpty();
        assertThat(cli.code()).isZero();
        assertThat(cli.out()).contains("resumed after step 4", "step 9/9");
        assertThat(Files.readAllLines(run.resolve("metrics.jsonl"))).hasSize(9);

        Path other = folder.resolve("other");
        assertThat(train("--steps", "9", "--out", other.toString(), "--sample-every", "2")
                        .code())
                .isZero();
        try (SafetensorsFile one = SafetensorsFile.open(run.resolve("checkpoints/step-00000009.safetensors"));
                SafetensorsFile two = SafetensorsFile.open(other.resolve("checkpoints/step-00000009.safetensors"))) {
            assertThat(one.floats("g_out.weight")).isEqualTo(two.floats("g_out.weight"));
        }
    }

    @Test
    void precisionIsRecordedAndKeptWhenARunIsResumed() throws IOException {
        Assumptions.assumeTrue(
                NativeCalls.devices().stream().anyMatch(device -> device.name().equals("sim") && device.available()),
                "libcgan_sim.so was not built");
        List<String> words = new ArrayList<>(
                List.of(TinyData.train(folder, "--precision", "tf32", "--steps", "2", "--out", run.toString())));
        words.set(words.indexOf("--device") + 1, "sim");
        words.set(words.indexOf("--threads") + 1, "0");
        Cli first = Cli.call(words.toArray(String[]::new));
        assertThat(first.err()).isEmpty();
        assertThat(first.out()).containsPattern("device  simulated GPU, .*, tf32\n");
        assertThat(run.resolve("config.json")).content().contains("\"device\": \"sim\"", "\"precision\": \"tf32\"");
        Cli more = Cli.call("train", "--resume", run.toString(), "--steps", "3");
        assertThat(more.err()).isEmpty();
        assertThat(more.out()).containsPattern("device  simulated GPU, .*, tf32\n");
        Cli cpu = Cli.call("train", "--resume", run.toString(), "--steps", "4", "--device", "cpu");
        assertThat(cpu.code()).isEqualTo(2);
        assertThat(cpu.err())
                .isEqualTo("error: context_create: device cpu has no precision=tf32, which tensor cores of a GPU have;"
                        + " use precision=fp32, or a device cuda:N\ntry: cgan-cli train --help\n");
        Cli back =
                Cli.call("train", "--resume", run.toString(), "--steps", "4", "--device", "cpu", "--precision", "fp32");
        assertThat(back.err()).isEmpty();
        assertThat(back.code()).isZero();
        assertThat(run.resolve("config.json")).content().contains("\"precision\": \"fp32\"");
    }

    @Test
    void otherKernelsKeepTheRecordedDevice() throws IOException {
        trained(2);
        assertThat(run.resolve("config.json")).content().contains("\"device\": \"cpu\"");
        for (String kernels : List.of("reference", "handwritten")) {
            String steps = kernels.equals("reference") ? "3" : "4";
            Cli more = Cli.call("train", "--resume", run.toString(), "--kernels", kernels, "--steps", steps);
            assertThat(more.err()).isEmpty();
            assertThat(more.out()).containsPattern("device  cpu: .*, " + kernels + " kernels");
            assertThat(run.resolve("config.json")).content().contains("\"device\": \"cpu?kernels=" + kernels + "\"");
        }
    }

    @Test
    void resumeRefusesWhatWouldMakeItAnotherRun() throws IOException {
        trained(2);
        Cli batch = Cli.call("train", "--resume", run.toString(), "--batch", "8");
        assertThat(batch.code()).isEqualTo(2);
        assertThat(batch.err())
                .startsWith("error: --batch cannot change when a run is resumed; start a new run, or leave it out\n");
        Cli model = Cli.call("train", "dcgan", "--resume", run.toString());
        assertThat(model.code()).isEqualTo(2);
        assertThat(model.err()).startsWith("error: " + run + " trains cgan, not dcgan; leave the model out\n");
        Cli finished = Cli.call("train", "--resume", run.toString());
        assertThat(finished.code()).isEqualTo(2);
        assertThat(finished.err())
                .startsWith("error: " + run + " has already made 2 steps of 2; ask for more with --steps\n");
        Cli none = Cli.call("train", "--resume", folder.resolve("nothing").toString());
        assertThat(none.code()).isEqualTo(1);
        assertThat(none.err()).startsWith("error: " + folder.resolve("nothing") + ": no such run; ");
    }

    @Test
    void checkpointOfAnotherModelIsAFailure() throws IOException {
        trained(2);
        Path dcgan = folder.resolve("dcgan");
        Cli other = Cli.call(
                "train",
                "dcgan",
                "--data",
                TinyData.write(folder),
                "--steps",
                "2",
                "--batch",
                "4",
                "--set",
                "width=2",
                "--out",
                dcgan.toString());
        assertThat(other.err()).isEmpty();
        Path file = run.resolve("checkpoints/step-00000002.safetensors");
        Files.copy(dcgan.resolve("checkpoints/step-00000002.safetensors"), file, StandardCopyOption.REPLACE_EXISTING);
        Cli cli = Cli.call("train", "--resume", run.toString(), "--steps", "5");
        assertThat(cli.code()).isEqualTo(1);
        assertThat(cli.err())
                .isEqualTo("error: " + file + ": a checkpoint of model dcgan, but this run trains cgan;"
                        + " resume with a checkpoint of cgan\n");
    }

    @Test
    void folderInUseIsAFailure() throws IOException {
        trained(1);
        Cli cli = train("--steps", "1", "--out", run.toString());
        assertThat(cli.code()).isEqualTo(1);
        assertThat(cli.err())
                .isEqualTo("error: cannot write " + run
                        + ": it already holds a run; name a new folder, or resume the run that is there\n");
    }

    @Test
    void unwritableOutputIsAFailure() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "");
        Cli cli = train("--steps", "1", "--out", file.resolve("run").toString());
        assertThat(cli.code()).isEqualTo(1);
        assertThat(cli.err())
                .startsWith("error: cannot write " + file.resolve("run") + ": ")
                .hasLineCount(1);
        Cli occupied = train("--steps", "1", "--out", file.toString());
        assertThat(occupied.err()).isEqualTo("error: cannot write " + file + ": it is a file; name a folder\n");
    }

    @Test
    void configFileGivesOptionsAndTheCommandLineWins() throws IOException {
        Path yaml = Files.writeString(folder.resolve("tiny.yaml"), """
                model: cgan
                data: %s
                steps: 3
                batch: 4
                sample-every: 0
                settings: {width: 2, latent: 3, hidden: 5}
                """.formatted(TinyData.write(folder)));
        Cli cli = Cli.call("train", "--config", yaml.toString(), "--steps", "2", "--out", run.toString());
        assertThat(cli.err()).isEmpty();
        assertThat(cli.out()).contains("step 2/2");
        assertThat(Files.readString(run.resolve("config.json"))).contains("\"width\": 2", "\"steps\": 2");

        Path again = folder.resolve("again");
        Cli json = Cli.call("train", "--config", run.resolve("config.json").toString(), "--out", again.toString());
        assertThat(json.code()).isZero();
        assertThat(again.resolve("config.json")).hasSameTextualContentAs(run.resolve("config.json"));
    }

    @Test
    void mistakesInAConfigFileNameTheFile() throws IOException {
        Path file = Files.writeString(folder.resolve("bad.json"), "{\"stepz\": 3}");
        Cli cli = Cli.call("train", "--config", file.toString());
        assertThat(cli.code()).isEqualTo(2);
        assertThat(cli.err())
                .startsWith("error: " + file + ": unknown setting 'stepz' of model cgan; did you mean steps?\n");
        Cli missing = Cli.call("train", "--config", folder.resolve("none.yaml").toString());
        assertThat(missing.code()).isEqualTo(1);
        assertThat(missing.err())
                .isEqualTo("error: " + folder.resolve("none.yaml") + ": no such file; check the path\n");
    }

    @Test
    void dryRunShowsNetworksMemoryAndTimeAndWritesNothing() throws IOException {
        Cli cli = train("--dry-run", "--out", run.toString());
        assertThat(cli.err()).isEmpty();
        assertThat(cli.code()).isZero();
        assertThat(cli.out())
                .contains("generator\n", "discriminator\n", "g_dense1", "d_embedding", "in all", "memory  ")
                .containsPattern("time    \\d+\\.\\d{3} s a step of 4 images, \\S+ for 3000 steps");
        assertThat(run).doesNotExist();
    }

    @Test
    void dataThatDoesNotFitIsExplained() throws IOException {
        Cli size = train("--image-size", "10", "--out", run.toString());
        assertThat(size.code()).isEqualTo(2);
        assertThat(size.err())
                .startsWith("error: cgan needs images whose sides are multiples of 4, not 10x10x1;"
                        + " --image-size 8 resizes them\n");
        Cli batch = Cli.call("train", "report", "--data", TinyData.write(folder), "--batch", "64");
        assertThat(batch.code()).isEqualTo(2);
        assertThat(batch.err()).contains("has 40 images, fewer than a batch of 64; choose a smaller batch");
        Cli none = Cli.call("train", "--data", folder.resolve("nowhere").toString());
        assertThat(none.code()).isEqualTo(1);
        assertThat(none.err()).startsWith("error: " + folder.resolve("nowhere") + ": no data set, file or folder");
        assertThat(run).doesNotExist();
    }

    @Test
    void unknownDeviceIsAUsageError() throws IOException {
        Cli cli = Cli.call("train", "--data", TinyData.write(folder), "--device", "tpu", "--out", run.toString());
        assertThat(cli.code()).isEqualTo(2);
        assertThat(cli.err()).startsWith("error: ").contains("tpu", "cpu");
        assertThat(run).doesNotExist();
    }
}
