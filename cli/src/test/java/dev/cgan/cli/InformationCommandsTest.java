package dev.cgan.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cgan.gan.Models;
import org.junit.jupiter.api.Test;

class InformationCommandsTest {
    @Test
    void modelsListsAllAndTheirSettings() {
        Cli all = Cli.call("models");
        assertThat(all.code()).isZero();
        assertThat(all.out()).contains(Models.names()).contains("(default)");
        Cli one = Cli.call("models", "wgan-gp");
        assertThat(one.out()).contains("critic_steps", "penalty", "5", "10.0", "Gulrajani");
        Cli none = Cli.call("models", "gan");
        assertThat(none.code()).isEqualTo(2);
        assertThat(none.err()).startsWith("error: unknown model 'gan'; did you mean cgan?\n");
    }

    @Test
    void devicesSaysWhichWorkAndWhyOthersDoNot() {
        Cli cli = Cli.call("devices");
        assertThat(cli.code()).isZero();
        assertThat(cli.out()).containsPattern("(?m)^cpu +ok +\\S");
        assertThat(cli.out().lines()).allMatch(line -> line.matches("\\S+ +(ok|unavailable) +\\S.*"));
    }

    @Test
    void doctorShowsEachPieceWithPathAndVersion() {
        Cli cli = Cli.call("doctor");
        assertThat(cli.code()).isZero();
        assertThat(cli.out())
                .contains(System.getProperty("java.home"), Runtime.version().toString(), "libcgan.so")
                .containsPattern("(?m)^device cpu +ok$")
                .containsPattern("ABI \\d+\\.\\d+");
    }

    @Test
    void doctorTimesTheCandidatesOfAModel() {
        Cli cli = Cli.call("doctor", "--plan", "dcgan", "--batch", "2", "--threads", "1");
        assertThat(cli.err()).isEmpty();
        assertThat(cli.code()).isZero();
        assertThat(cli.out())
                .contains("dcgan, one step of 2 images", "Calls, and whose kernels served them:")
                .containsPattern(
                        "(?m)^conv2d_forward n2 h28 w28 c1 k64 r4 s4 stride2x2 pad1,1,1,1 up1 .*  \\(g_out, d_conv1\\)$")
                .containsPattern("(?m)^conv2d_backward_data n2 h28 w28 c1 k64 .*  \\(g_out, d_conv1\\)$")
                .containsPattern("(?m)^dense_forward m2 n.*  \\(g_dense1\\)$")
                .containsPattern("(?m)^ {4}[* ] handwritten +\\d+\\.\\d+ +\\d+$")
                .containsPattern("(?m)^ {4}[* ] handwritten +\\d+\\.\\d+ +\\d+  (winograd|fourier|direct)$")
                .containsPattern("(?m)^ {4}[* ] direct +\\d+\\.\\d+ +\\d+  (direct|thin)$")
                .containsPattern("(?m)^ {4}\\* ")
                .containsPattern("(?m)^  batch_norm_training: handwritten \\d+$");
        assertThat(Cli.call("doctor", "--plan", "gpt").code()).isEqualTo(2);
        Cli pinned = Cli.call("doctor", "--plan", "dcgan", "--device", "cpu?kernels=vendor");
        assertThat(pinned.code()).isEqualTo(2);
        assertThat(pinned.err())
                .startsWith("error: --plan times all candidates, and --device 'cpu?kernels=vendor' pins one;"
                        + " leave kernels=vendor out\n");
        Cli rounded = Cli.call("doctor", "--plan", "dcgan", "--precision", "tf32");
        assertThat(rounded.code()).isEqualTo(2);
        assertThat(rounded.err()).contains("device cpu has no precision=tf32", "use precision=fp32");
    }
}
