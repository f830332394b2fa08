package dev.cgan.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.cgan.testkit.Seeds;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LossPlotTest {
    private static final int BLUE = 0x1f6fb4;
    private static final int ORANGE = 0xdd6b20;

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 50, 3000, 100_000})
    void curvesOfAnyLengthAreDrawn(int count) {
        double[] steps = new double[count];
        double[] values = new double[count];
        Arrays.setAll(steps, i -> i + 1);
        Arrays.setAll(values, i -> 0.5 + 0.1 * Math.sin(i));
        double[] others = Arrays.stream(values).map(v -> v - 0.2).toArray();
        Canvas canvas = LossPlot.draw("a run", steps, values, others, values, others);
        assertThat(countOf(canvas, 36, 330, BLUE)).as("d_loss").isGreaterThan(count == 1 ? 0 : 500);
        assertThat(countOf(canvas, 36, 330, ORANGE)).as("g_loss").isGreaterThan(count == 1 ? 0 : 500);
        assertThat(countOf(canvas, 440, 250, BLUE)).as("D(x)").isGreaterThan(count == 1 ? 0 : 500);
    }

    @Test
    void anEmptyRunHasEmptyAxes() {
        double[] none = {};
        assertThat(LossPlot.draw("", none, none, none, none, none).width()).isEqualTo(1000);
    }

    @Test
    void anyValuesAtAllAreDrawn() {
        Random random = Seeds.random("LossPlotTest.any");
        double[] odd = {Double.NaN, 1 / 0.0, -1 / 0.0, 0, -0.0, 1e308, -1e308, 1e-308, 5e-324, 1, -1, 0.5};
        for (int round = 0; round < 40; round++) {
            int count = random.nextInt(30);
            double[][] values = new double[5][count];
            for (int i = 0; i < count; i++) {
                values[0][i] = (i == 0 ? 0 : values[0][i - 1]) + 1 + random.nextInt(3);
                for (int k = 1; k < 5; k++) {
                    values[k][i] = odd[random.nextInt(odd.length)];
                }
            }
            Canvas canvas = LossPlot.draw("odd", values[0], values[1], values[2], values[3], values[4]);
            assertThat(canvas.height()).isEqualTo(760);
        }
    }

    @Test
    void onesidedInputIsRefused() {
        double[] one = {1};
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LossPlot.draw("", one, one, new double[2], one, one))
                .withMessage("2 values for 1 steps");
        double[] two = {2, 2};
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LossPlot.draw("", two, two, two, two, two))
                .withMessage("step 2.0 follows step 2.0");
    }

    @ParameterizedTest
    @CsvSource({
        "0, 1, false, 5, 0 0.2 0.4 0.6 0.8 1",
        "0, 3000, false, 6, 0 500 1000 1500 2000 2500 3000",
        "-1.3, 2.1, false, 4, -1 0 1 2",
        "0.0004, 0.00043, false, 3, 0.0004 0.00041 0.00042 0.00043",
        "0.9, 11, true, 6, 1 2 5 10",
        "0.00005, 2000, true, 8, 0.0001 0.001 0.01 0.1 1 10 100 1000",
        "0, 30000000, false, 3, 0 1e7 2e7 3e7"
    })
    void ticksAreRound(double low, double high, boolean logarithmic, int wanted, String expected) {
        List<String> labels = new Axis(low, high, logarithmic)
                .ticks(wanted).stream().map(Axis::label).toList();
        assertThat(labels).containsExactly(expected.split(" "));
    }

    @Test
    void placesAreMonotonous() {
        for (Axis axis : List.of(new Axis(2, 7, false), new Axis(2, 7, true), Axis.linear(3, 3))) {
            assertThat(axis.place(axis.low())).isZero();
            assertThat(axis.place(axis.high())).isEqualTo(1);
            assertThat(axis.place((axis.low() + axis.high()) / 2)).isBetween(0.4, 0.7);
        }
        assertThat(new Axis(2, 7, true).place(-1)).isNaN();
    }

    private static int countOf(Canvas canvas, int top, int rows, int color) {
        int count = 0;
        for (int y = top + 34; y < top + 34 + rows; y++) {
            for (int x = 86; x < canvas.width(); x++) {
                count += canvas.rgb(x, y) == color ? 1 : 0;
            }
        }
        return count;
    }
}
