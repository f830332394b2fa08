package dev.cgan.train;

import dev.cgan.gan.ImageShape;
import dev.cgan.gan.ModelType;
import dev.cgan.io.InvalidFileException;
import dev.cgan.io.Json;
import dev.cgan.io.SafetensorsEntry;
import dev.cgan.io.SafetensorsFile;
import dev.cgan.io.SafetensorsWriter;
import dev.cgan.tensor.DType;
import dev.cgan.tensor.Device;
import dev.cgan.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The state of a run after a step, in one safetensors file: parameters and buffers under their own names, the average of
 * the generator under {@code ema.NAME}, the optimizers' under {@code optimizer.NETWORK.NAME}; in the metadata the
 * configuration, the step, the size of the data and the losses so far. Random numbers and the order of the images need no
 * state: both follow from seed and step.
 *
 * @param file where it is
 * @param config the configuration of the run
 * @param images what the model is for
 * @param labels the names of the classes
 * @param step after which step it was made
 * @param dataImages how many images the data has; with seed and step, they decide which images come next
 * @param history the losses so far
 */
public record Checkpoint(
        Path file,
        TrainConfig config,
        ImageShape images,
        List<String> labels,
        long step,
        long dataImages,
        History history) {

    /** Before the name of a generator's tensor: its average. */
    public static final String AVERAGE = "ema.";
    /** Before the name of a network: its optimizer. */
    public static final String OPTIMIZER = "optimizer.";

    private static final String FORMAT = "cgan-checkpoint";
    private static final String VERSION = "1";
    private static final String KIND_REMEDY = "name a checkpoint that cgan wrote";

    /**
     * Writes a checkpoint, whole or not at all.
     *
     * @param checkpoint what goes into the metadata, and the file
     * @param state all tensors by name
     * @throws IOException if the file system refuses
     */
    public static void write(Checkpoint checkpoint, Map<String, ? extends Tensor> state) throws IOException {
        SafetensorsWriter writer = new SafetensorsWriter()
                .metadata("format", FORMAT)
                .metadata("version", VERSION)
                .metadata("model", checkpoint.config.model())
                .metadata("config", Json.write(checkpoint.config.toMap()))
                .metadata("images", Json.write(describe(checkpoint.images)))
                .metadata("labels", Json.write(checkpoint.labels))
                .metadata("step", Long.toString(checkpoint.step))
                .metadata("data_images", Long.toString(checkpoint.dataImages))
                .metadata("history", checkpoint.history.toJson());
        state.forEach((name, tensor) -> StateFiles.add(writer, name, tensor));
        writer.write(checkpoint.file);
    }

    /**
     * Reads all but the tensors.
     *
     * @param file the checkpoint
     * @return what its metadata says
     * @throws InvalidFileException if it is not a checkpoint, or a damaged one
     * @throws IOException if reading fails
     */
    public static Checkpoint read(Path file) throws IOException {
        try (SafetensorsFile source = SafetensorsFile.open(file)) {
            Map<String, String> metadata = source.metadata();
            if (!FORMAT.equals(metadata.get("format"))) {
                throw new InvalidFileException(file, "a safetensors file, but not a checkpoint", KIND_REMEDY);
            }
            if (!VERSION.equals(metadata.get("version"))) {
                throw new InvalidFileException(
                        file,
                        "a checkpoint of version " + metadata.get("version") + ", this program reads " + VERSION,
                        "use the program that wrote it");
            }
            return parse(file, metadata);
        }
    }

    /**
     * Fills tensors with what the file has under their names. Everything is checked before anything is changed.
     *
     * @param file the checkpoint
     * @param state the tensors to fill
     * @param whole whether the file must hold nothing else
     * @throws InvalidFileException naming the first tensor that is missing, surplus, or of another shape or type
     * @throws IOException if reading fails
     */
    public static void restore(Path file, Map<String, ? extends Tensor> state, boolean whole) throws IOException {
        try (SafetensorsFile source = SafetensorsFile.open(file)) {
            for (var wanted : state.entrySet()) {
                requireSame(source, wanted.getKey(), wanted.getValue());
            }
            Set<String> surplus = new TreeSet<>(source.names());
            surplus.removeAll(state.keySet());
            if (whole && !surplus.isEmpty()) {
                throw new InvalidFileException(
                        file,
                        "tensor " + surplus.iterator().next() + " belongs to no part of this model",
                        "use a checkpoint of the same model and settings");
            }
            for (var wanted : state.entrySet()) {
                StateFiles.read(source, wanted.getKey(), wanted.getValue());
            }
        }
    }

    /**
     * {@return whether a checkpoint holds an average of the generator}
     *
     * @param file the checkpoint
     * @throws IOException if it cannot be read
     */
    public static boolean hasAverage(Path file) throws IOException {
        try (SafetensorsFile source = SafetensorsFile.open(file)) {
            return source.names().stream().anyMatch(name -> name.startsWith(AVERAGE));
        }
    }

    /**
     * {@return what to make the model from that this checkpoint is of}
     *
     * @param device where its tensors shall live
     */
    public ModelType.Plan plan(Device device) {
        return new ModelType.Plan(device, images, config.settings(), config.seed(), DType.F32);
    }

    private static void requireSame(SafetensorsFile source, String name, Tensor wanted) throws IOException {
        if (!source.names().contains(name)) {
            throw new InvalidFileException(
                    source.path(), "no tensor named " + name, "use a checkpoint of the same model and settings");
        }
        SafetensorsEntry entry = source.entry(name);
        long[] shape = entry.shape().stream().mapToLong(Long::longValue).toArray();
        if (!Arrays.equals(shape, wanted.shape().dims())
                || !entry.type().name().equals(wanted.dtype().name())) {
            throw new InvalidFileException(
                    source.path(),
                    "tensor " + name + " is " + entry.type() + entry.shape() + ", this model needs "
                            + wanted.dtype().name()
                            + Arrays.toString(wanted.shape().dims()),
                    "use a checkpoint of the same model and settings");
        }
    }

    private static Checkpoint parse(Path file, Map<String, String> metadata) throws IOException {
        try {
            Map<?, ?> images = parse(metadata, "images", Map.class);
            List<?> labels = parse(metadata, "labels", List.class);
            Map<String, Object> config = new LinkedHashMap<>();
            Map<?, ?> values = parse(metadata, "config", Map.class);
            values.forEach((k, v) -> config.put((String) k, v));
            return new Checkpoint(
                    file,
                    TrainConfig.of(config),
                    new ImageShape(
                            integer(images, "height"),
                            integer(images, "width"),
                            integer(images, "channels"),
                            integer(images, "classes")),
                    names(labels, integer(images, "classes")),
                    Long.parseLong(text(metadata, "step")),
                    Long.parseLong(text(metadata, "data_images")),
                    History.parse(text(metadata, "history")));
        } catch (ClassCastException | IllegalArgumentException | Json.SyntaxException e) {
            throw new InvalidFileException(
                    file, "the checkpoint's metadata is damaged: " + e.getMessage(), "use another checkpoint", e);
        }
    }

    private static <T> T parse(Map<String, String> metadata, String key, Class<T> kind) throws Json.SyntaxException {
        Object tree = Json.parse(text(metadata, key));
        if (!kind.isInstance(tree)) {
            throw new IllegalArgumentException(key + " is " + Json.write(tree));
        }
        return kind.cast(tree);
    }

    private static List<String> names(List<?> labels, int classes) {
        if (labels.size() != classes || !labels.stream().allMatch(String.class::isInstance)) {
            throw new IllegalArgumentException("the labels of " + classes + " classes are " + labels);
        }
        return labels.stream().map(String.class::cast).toList();
    }

    private static String text(Map<String, String> metadata, String key) {
        String value = metadata.get(key);
        if (value == null) {
            throw new IllegalArgumentException("there is no " + key);
        }
        return value;
    }

    private static int integer(Map<?, ?> map, String key) {
        if (map.get(key) instanceof Long value && value == value.intValue()) {
            return value.intValue();
        }
        throw new IllegalArgumentException(key + " is " + map.get(key));
    }

    private static Map<String, Object> describe(ImageShape images) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("height", images.height());
        map.put("width", images.width());
        map.put("channels", images.channels());
        map.put("classes", images.classes());
        return map;
    }
}
