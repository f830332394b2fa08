package dev.cgan.train;

import dev.cgan.gan.Batch;
import dev.cgan.io.SafetensorsWriter;
import dev.cgan.tensor.DType;
import dev.cgan.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * Writes all that the first steps of a run drew and read, so that someone with another framework can replay them. The files
 * and the names in them are described in docs/trace.md.
 */
final class Trace {
    private final Path folder;
    private final Map<String, String> about;

    /**
     * @param folder made if it does not exist
     * @param about metadata for every file
     */
    Trace(Path folder, Map<String, String> about) throws IOException {
        this.folder = Files.createDirectories(folder);
        this.about = about;
    }

    /**
     * Writes {@code init.safetensors}.
     *
     * @param state parameters and buffers by name
     */
    void begin(Map<String, ? extends Tensor> state) throws IOException {
        SafetensorsWriter writer = new SafetensorsWriter().metadata(about);
        state.forEach((name, tensor) -> add(writer, name, tensor));
        writer.write(folder.resolve("init.safetensors"));
    }

    /**
     * Writes {@code step-NNNNNN.safetensors}.
     *
     * @param step its number
     * @param real the batch that it read
     * @param draws what it drew, by purpose
     * @param losses figures for the metadata, by name
     */
    void step(long step, Batch real, Map<String, Tensor> draws, Map<String, Double> losses) throws IOException {
        Map<String, String> metadata = new LinkedHashMap<>(about);
        metadata.put("step", Long.toString(step));
        losses.forEach((name, value) -> metadata.put(name, Double.toString(value)));
        SafetensorsWriter writer = new SafetensorsWriter().metadata(metadata);
        add(writer, "real", real.images());
        add(writer, "labels", real.labels());
        draws.forEach((name, tensor) -> add(writer, name, tensor));
        writer.write(folder.resolve(String.format(Locale.ROOT, "step-%06d.safetensors", step)));
    }

    /** Integers become I64, the type by which other frameworks index. */
    private static void add(SafetensorsWriter writer, String name, Tensor tensor) {
        long[] shape = tensor.shape().dims();
        if (tensor.dtype() == DType.I32) {
            int[] values = tensor.toInts();
            writer.add(name, shape, Arrays.stream(values).asLongStream().toArray());
        } else {
            StateFiles.add(writer, name, tensor);
        }
    }
}
