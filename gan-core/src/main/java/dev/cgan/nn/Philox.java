package dev.cgan.nn;

import dev.cgan.bindings.RandomKind;
import dev.cgan.tensor.DType;
import dev.cgan.tensor.Device;
import dev.cgan.tensor.Kernels;
import dev.cgan.tensor.Shape;
import dev.cgan.tensor.Tensor;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/**
 * Counter-based random numbers, Philox4x32-10 (Salmon, Moraes, Dror and Shaw 2011): what is drawn depends on the seed, the
 * purpose, the step and the element alone, on every device and for every thread count.
 *
 * <p>The stream of a purpose is the 32-bit FNV-1a hash of its UTF-8 bytes. The k-th draw for one purpose within a step,
 * k = 2, 3, ..., uses the stream of {@code purpose#k}, so repeated draws are independent.
 */
public final class Philox {
    private final Device device;
    private final long seed;
    private final DType dtype;

    /** Numbers of a seed, in F32. */
    public Philox(Device device, long seed) {
        this(device, seed, DType.F32);
    }

    /** Numbers of a seed, in F32 or F64. */
    public Philox(Device device, long seed, DType dtype) {
        if (!dtype.floating()) {
            throw new IllegalArgumentException("random numbers are f32 or f64, not " + dtype);
        }
        this.device = device;
        this.seed = seed;
        this.dtype = dtype;
    }

    /** {@return the seed} */
    public long seed() {
        return seed;
    }

    /**
     * {@return the source of one step's numbers}
     *
     * <p>It keeps the step's number in device memory of the innermost open scope and is of use while that is open.
     */
    public RandomSource at(long step) {
        return at(device.longs(new long[] {step}));
    }

    /**
     * {@return the source of the numbers of the step that a tensor holds when they are drawn}
     *
     * @param step I64 of one element; so a captured draw can be replayed for another step
     */
    public RandomSource at(Tensor step) {
        return new Source(step);
    }

    /** {@return the number that stands for a purpose: the 32-bit FNV-1a hash of its UTF-8 bytes} */
    public static int stream(String purpose) {
        int hash = 0x811c9dc5;
        for (byte b : purpose.getBytes(StandardCharsets.UTF_8)) {
            hash = (hash ^ (b & 0xff)) * 0x01000193;
        }
        return hash;
    }

    private final class Source implements RandomSource {
        private final Tensor step;
        private final Map<String, Integer> draws = new HashMap<>();

        Source(Tensor step) {
            this.step = step;
        }

        @Override
        public Tensor uniform(String purpose, double low, double high, long... dims) {
            return draw(RandomKind.UNIFORM, purpose, low, high, dtype, Shape.of(dims));
        }

        @Override
        public Tensor normal(String purpose, double mean, double standardDeviation, long... dims) {
            return draw(RandomKind.NORMAL, purpose, mean, standardDeviation, dtype, Shape.of(dims));
        }

        @Override
        public Tensor bernoulli(String purpose, double probability, double value, long... dims) {
            return draw(RandomKind.BERNOULLI, purpose, probability, value, dtype, Shape.of(dims));
        }

        @Override
        public Tensor integers(String purpose, long low, long high, long n) {
            return draw(RandomKind.INTEGER, purpose, low, high, DType.I32, Shape.of(n));
        }

        private Tensor draw(RandomKind kind, String purpose, double a, double b, DType type, Shape shape) {
            int count = draws.merge(purpose, 1, Integer::sum);
            int stream = stream(count == 1 ? purpose : purpose + "#" + count);
            Tensor result = device.empty(type, shape);
            Kernels.random(kind, seed, stream, a, b, step, result);
            return result;
        }
    }
}
