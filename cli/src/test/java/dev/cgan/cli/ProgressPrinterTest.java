package dev.cgan.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cgan.train.Progress;
import dev.cgan.train.TrainStart;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ProgressPrinterTest {
    private final StringWriter text = new StringWriter();
    private final AtomicLong clock = new AtomicLong();

    private ProgressPrinter printer(int width, boolean quiet) {
        ProgressPrinter printer = new ProgressPrinter(new PrintWriter(text), width, quiet, clock::get);
        printer.onStart(new TrainStart("cgan", "cpu: two threads", "mnist", 1, 3000, Optional.of(Path.of("runs/1"))));
        return printer;
    }

    private static Progress at(long step) {
        return new Progress(step, 3000, 0.6123, 0.9341, 0.63, 0.41, 0.3, 214.4, 561, 1 << 20, 412L << 20);
    }

    @Test
    void liveLineHasEveryFigure() {
        printer(200, false).onStep(at(1140));
        assertThat(text.toString())
                .endsWith("\rcgan  [=======>            ]   38%  step 1140/3000  d_loss 0.612  g_loss 0.934  D(x) 0.63"
                        + "  D(G(z)) 0.41  214 img/s  mem 412 MiB  ETA 9m21s");
    }

    @Test
    void timeLeftShowsOnceItIsKnown() {
        printer(200, false).onStep(new Progress(1, 3000, 0.6, 0.9, 0.6, 0.4, 9, 7.1, Double.NaN, 1 << 20, 412L << 20));
        assertThat(text.toString()).endsWith("D(G(z)) 0.40  7.1 img/s  mem 412 MiB");
    }

    @Test
    void barShrinksBeforeItGoes() {
        printer(100, false).onStep(at(1140));
        String line = text.toString().substring(text.toString().indexOf('\r') + 1);
        assertThat(line)
                .startsWith("[==>   ]  step 1140/3000")
                .endsWith("D(G(z)) 0.41  214 img/s  ETA 9m21s")
                .hasSize(99);
    }

    @Test
    void narrowTerminalKeepsTheImportantFiguresOnOneLine() {
        printer(80, false).onStep(at(1140));
        String line = text.toString().substring(text.toString().indexOf('\r') + 1);
        assertThat(line)
                .isEqualTo("step 1140/3000  d_loss 0.612  g_loss 0.934  D(x) 0.63  D(G(z)) 0.41  ETA 9m21s")
                .hasSizeLessThan(80);
    }

    @Test
    void shorterLineErasesTheLongerOneBeforeIt() {
        ProgressPrinter printer = printer(200, false);
        printer.onStep(at(1140));
        int longer = text.toString().length() - text.toString().lastIndexOf('\r');
        clock.addAndGet(1_000_000_000L);
        printer.onStep(at(7));
        assertThat(text.toString().length() - text.toString().lastIndexOf('\r')).isEqualTo(longer);
    }

    @Test
    void plainLinesAreRateLimitedButFirstAndLastAlwaysShow() {
        ProgressPrinter printer = printer(0, false);
        for (long step = 1; step <= 3000; step++) {
            printer.onStep(at(step));
            clock.addAndGet(10_000_000L);
        }
        assertThat(text.toString()).doesNotContain("\r").contains("step 1/3000").contains("step 3000/3000");
        assertThat(text.toString().lines().filter(line -> line.contains("d_loss")))
                .hasSize(7);
    }

    @Test
    void quietShowsWarningsOnly() {
        ProgressPrinter printer = printer(0, true);
        printer.onStep(at(1));
        printer.onWarning("all samples look alike");
        assertThat(text.toString()).isEqualTo("warning: all samples look alike\n");
    }

    @Test
    void warningStartsOnALineOfItsOwn() {
        ProgressPrinter printer = printer(120, false);
        printer.onStep(at(1));
        printer.onWarning("look");
        assertThat(text.toString()).endsWith("\nwarning: look\n");
    }

    @Test
    void unitsReadWell() {
        assertThat(Units.bytes(1023)).isEqualTo("1023 B");
        assertThat(Units.bytes(1536)).isEqualTo("1.5 KiB");
        assertThat(Units.bytes(412L << 20)).isEqualTo("412 MiB");
        assertThat(Units.duration(59.4)).isEqualTo("59s");
        assertThat(Units.duration(561)).isEqualTo("9m21s");
        assertThat(Units.duration(3720)).isEqualTo("1h02m");
        assertThat(Units.duration(100_000)).isEqualTo("1d03h");
        assertThat(Units.duration(Double.NaN)).isEqualTo("?");
        assertThat(Units.count(1234567)).isEqualTo("1,234,567");
    }
}
