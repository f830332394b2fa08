package dev.cgan.testkit;

import static org.junit.jupiter.api.Assertions.fail;

import dev.cgan.io.SafetensorsFile;
import dev.cgan.tensor.DType;
import dev.cgan.tensor.Device;
import dev.cgan.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Path;

/** A file of reference values that PyTorch computed in F64; see src/test/golden. */
public final class Golden implements AutoCloseable {
    private final SafetensorsFile file;

    /** Opens {@code /golden/NAME.safetensors} of the test resources. */
    public Golden(String name) {
        try {
            file = SafetensorsFile.open(Path.of(
                    Golden.class.getResource("/golden/" + name + ".safetensors").toURI()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (URISyntaxException e) {
            throw new AssertionError(e);
        }
    }

    /** {@return the underlying file} */
    public SafetensorsFile file() {
        return file;
    }

    /** {@return whether there is a tensor of this name} */
    public boolean has(String name) {
        return file.names().contains(name);
    }

    /** {@return the values of a tensor} */
    public double[] values(String name) {
        try {
            return file.doubles(name);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** {@return a tensor on a device, in a floating type} */
    public Tensor tensor(Device device, String name, DType dtype) {
        return device.doubles(values(name)).reshape(dims(name)).to(dtype);
    }

    /** {@return an I32 tensor on a device} */
    public Tensor labels(Device device, String name) {
        try {
            return device.longs(file.longs(name)).to(DType.I32);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** {@return the dimensions of a tensor} */
    public long[] dims(String name) {
        try {
            return file.entry(name).shape().stream().mapToLong(Long::longValue).toArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Compares a result with the golden tensor of a name, which has as many elements.
     *
     * @param tolerance for each element: absolute where the greatest golden value is below 1, else relative to that
     * @return the number of elements compared
     */
    public int compare(String name, Tensor result, double tolerance) {
        double[] wanted = values(name);
        double[] found = result.toDoubles();
        if (wanted.length != found.length || wanted.length == 0) {
            fail("%s: %d values, but %s has %d".formatted(name, wanted.length, result, found.length));
        }
        double scale = 1;
        for (double value : wanted) {
            scale = Math.max(scale, Math.abs(value));
        }
        for (int i = 0; i < wanted.length; i++) {
            if (!(Math.abs(wanted[i] - found[i]) <= tolerance * scale)) {
                fail("%s at %d: want %.17g, got %.17g, limit %.3g"
                        .formatted(name, i, wanted[i], found[i], tolerance * scale));
            }
        }
        return wanted.length;
    }

    @Override
    public void close() {
        try {
            file.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
