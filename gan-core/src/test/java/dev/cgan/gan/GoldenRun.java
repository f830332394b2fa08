package dev.cgan.gan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.cgan.io.Json;
import dev.cgan.io.SafetensorsEntry;
import dev.cgan.io.SafetensorsFile;
import dev.cgan.tensor.DType;
import dev.cgan.tensor.Device;
import dev.cgan.tensor.Tensor;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** A training run that PyTorch made in float64: see src/test/golden/make_golden.py, which regenerates the files. */
public final class GoldenRun implements AutoCloseable {
    private final SafetensorsFile file;
    private final Device device;
    private final DType dtype;
    private final Map<?, ?> settings;

    public GoldenRun(String name, Device device, DType dtype) throws IOException {
        try {
            file = SafetensorsFile.open(Path.of(GoldenRun.class
                    .getResource("/golden/" + name + ".safetensors")
                    .toURI()));
        } catch (URISyntaxException e) {
            throw new IOException(e);
        }
        this.device = device;
        this.dtype = dtype;
        settings = (Map<?, ?>) Json.parse(file.metadata().get("settings"));
    }

    public int integer(String setting) {
        return ((Long) settings.get(setting)).intValue();
    }

    public ImageShape images(int classes) {
        return new ImageShape(integer("height"), integer("width"), integer("channels"), classes);
    }

    public List<?> losses() throws IOException {
        return (List<?>) Json.parse(file.metadata().get("losses"));
    }

    boolean has(String name) {
        return file.names().contains(name);
    }

    public long count(String prefix) {
        return file.names().stream().filter(name -> name.startsWith(prefix)).count();
    }

    /** The file's values in the innermost scope: floating ones in this run's type, U8 pixels scaled to [-1, 1]. */
    public Tensor tensor(String name) {
        try {
            SafetensorsEntry entry = file.entry(name);
            long[] shape = entry.shape().stream().mapToLong(Long::longValue).toArray();
            return switch (entry.type()) {
                case F64 -> device.doubles(file.doubles(name), shape).to(dtype);
                case U8 ->
                    device.bytes(file.bytes(name), shape)
                            .to(DType.F64)
                            .minus(127.5)
                            .dividedBy(127.5)
                            .to(dtype);
                case I64 -> device.longs(file.longs(name), shape).to(DType.I32);
                default -> throw new IOException("unexpected " + entry);
            };
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    public GoldenStep step(long number, Map<String, String> renamed) {
        return new GoldenStep(number, name -> tensor(stepPrefix(number) + name), renamed);
    }

    public static String stepPrefix(long number) {
        return String.format(Locale.ROOT, "step%02d.", number);
    }

    /** The model's parameters and buffers by the file's names. */
    public static Map<String, Tensor> state(GanModel model) {
        Map<String, Tensor> state = new LinkedHashMap<>();
        for (Network network : model.networks()) {
            network.player().stateDict().forEach((name, tensor) -> state.put(goldenName(name), tensor));
        }
        return state;
    }

    public static String goldenName(String name) {
        return name.replace(".running_mean", ".moving_mean").replace(".running_var", ".moving_variance");
    }

    public void start(GanModel model) {
        Map<String, Tensor> state = state(model);
        assertThat((long) state.size()).as("parameters and buffers").isEqualTo(count("init."));
        state.forEach((name, tensor) -> {
            Tensor wanted = tensor("init." + name);
            assertThat(tensor.shape()).as(name).isEqualTo(wanted.shape());
            tensor.copyFrom(wanted);
        });
    }

    /** Compares tensors with those of a prefix; the limit is relative to the greatest magnitude of each tensor. */
    public void requireClose(String prefix, Map<String, ? extends Tensor> tensors, double tolerance) {
        assertThat((long) tensors.size()).as(prefix + " tensors").isEqualTo(count(prefix));
        tensors.forEach((name, tensor) -> {
            double[] wanted = tensor(prefix + name).toDoubles();
            double[] got = tensor.toDoubles();
            assertThat(got).as(name).hasSameSizeAs(wanted);
            double scale = largest(wanted);
            String weight = prefix + name.replaceFirst("[.]bias$", ".weight");
            if (prefix.equals("grad.") && has(weight)) {
                // A bias's gradient adds the terms of its weights', which may cancel (before a normalisation they
                // nearly do); the rounding error is that of the terms.
                scale = Math.max(scale, largest(tensor(weight).toDoubles()));
            }
            for (int i = 0; i < wanted.length; i++) {
                double limit = tolerance * Math.max(scale, 1e-3);
                if (!(Math.abs(wanted[i] - got[i]) <= limit)) {
                    fail("%s%s [%d]: %s, PyTorch has %s, limit %.3g", prefix, name, i, got[i], wanted[i], limit);
                }
            }
        });
    }

    private static double largest(double[] values) {
        double largest = 0;
        for (double value : values) {
            largest = Math.max(largest, Math.abs(value));
        }
        return largest;
    }

    static void requireClose(String what, double wanted, double got, double tolerance) {
        if (!(Math.abs(wanted - got) <= tolerance * Math.max(1, Math.abs(wanted)))) {
            fail("%s: %s, PyTorch has %s, tolerance %.3g", what, got, wanted, tolerance);
        }
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
