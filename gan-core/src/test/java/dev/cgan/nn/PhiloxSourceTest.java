package dev.cgan.nn;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cgan.tensor.DType;
import dev.cgan.tensor.Device;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PhiloxSourceTest {
    private static final long SEED = 0x1234_5678_9abc_def0L;

    private Device device;

    @BeforeEach
    void open() {
        device = Device.open("cpu?threads=1");
    }

    @AfterEach
    void close() {
        device.close();
    }

    /** The same stream, drawn on the host. */
    private static float[] onHost(String purpose, long step, int n) {
        var host = new dev.cgan.data.Philox(SEED, Philox.stream(purpose), step);
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
            values[i] = host.nextFloat();
        }
        return values;
    }

    @Test
    void numbersFollowFromSeedPurposeAndStep() {
        Philox philox = new Philox(device, SEED);
        for (long step : new long[] {0, 1, 1L << 40}) {
            assertThat(philox.at(step).uniform("noise", 0, 1, 3, 33).toFloats()).isEqualTo(onHost("noise", step, 99));
        }
        assertThat(philox.seed()).isEqualTo(SEED);
    }

    @Test
    void repeatedDrawsAreIndependent() {
        RandomSource source = new Philox(device, SEED).at(4);
        assertThat(source.uniform("noise", 0, 1, 8).toFloats()).isEqualTo(onHost("noise", 4, 8));
        assertThat(source.uniform("noise", 0, 1, 8).toFloats()).isEqualTo(onHost("noise#2", 4, 8));
        assertThat(source.uniform("other", 0, 1, 8).toFloats()).isEqualTo(onHost("other", 4, 8));
    }

    @Test
    void streamsAreFnvHashes() {
        assertThat(Philox.stream("")).isEqualTo(0x811c9dc5);
        assertThat(Philox.stream("a")).isEqualTo(0xe40c292c);
        assertThat(Philox.stream("foobar")).isEqualTo(0xbf9cf968);
    }

    @Test
    void distributionsHaveTheirRange() {
        RandomSource source = new Philox(device, 1, DType.F64).at(1);
        assertThat(source.uniform("u", -1, 1, 10).dtype()).isEqualTo(DType.F64);
        int[] labels = source.integers("labels", 2, 5, 1000).toInts();
        int[] counts = new int[5];
        for (int label : labels) {
            counts[label]++;
        }
        assertThat(counts[0] + counts[1]).isZero();
        assertThat(counts[2]).isBetween(250, 420);
        assertThat(counts[4]).isBetween(250, 420);
        double[] bits = source.bernoulli("b", 0.5, 2, 1000).toDoubles();
        int set = 0;
        for (double bit : bits) {
            assertThat(bit == 0 || bit == 2).isTrue();
            set += bit == 2 ? 1 : 0;
        }
        assertThat(set).isBetween(420, 580);
        double sum = 0;
        double squares = 0;
        for (double value : source.normal("n", 3, 2, 10_000).toDoubles()) {
            sum += value;
            squares += (value - 3) * (value - 3);
        }
        assertThat(Math.abs(sum / 10_000 - 3) <= 0.08).isTrue();
        assertThat(Math.abs(squares / 10_000 / 4 - 1) <= 0.06).isTrue();
    }
}
