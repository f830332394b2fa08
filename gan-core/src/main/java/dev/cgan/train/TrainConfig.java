package dev.cgan.train;

import dev.cgan.data.DatasetOptions;
import dev.cgan.gan.ModelType;
import dev.cgan.gan.Models;
import dev.cgan.gan.Settings;
import dev.cgan.io.ConfigException;
import dev.cgan.io.Suggestions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * Everything that decides what a run computes and keeps. Two runs of equal configurations on equal devices give the same
 * bits.
 *
 * @param model the name of a model
 * @param settings the settings of that model
 * @param data as {@link dev.cgan.data.Datasets#open} takes it: a name, a folder, or IDX files with a comma between them
 * @param imageSize the side to which images are resized; 0 leaves it to the data
 * @param channels 1 grey, 3 colour; 0 leaves it to the data
 * @param steps steps to train, in all
 * @param batch images in a batch
 * @param seed of weights, noise and order of the images
 * @param device the device's name
 * @param threads worker threads of the CPU device; 0 lets the device choose
 * @param precision {@code fp32}; or {@code tf32}: products and convolutions on a GPU's tensor cores, whose operands keep 10
 *     bits of mantissa
 * @param graph {@code auto}: where the device can, capture the training step once and replay it; {@code off}: never. The
 *     bits are the same
 * @param sampleEvery steps between pictures; 0 for none
 * @param checkpointEvery steps between checkpoints; 0 for one at the end only
 * @param keep how many of the newest checkpoints to keep, beside the best
 * @param trace how many of the first steps to record for replay
 */
public record TrainConfig(
        String model,
        Settings settings,
        String data,
        int imageSize,
        int channels,
        int steps,
        int batch,
        long seed,
        String device,
        int threads,
        String precision,
        String graph,
        int sampleEvery,
        int checkpointEvery,
        int keep,
        int trace) {

    /** The keys of {@link #of}, beside the model's settings. */
    public static final List<String> KEYS = List.of(
            "model",
            "data",
            "image_size",
            "channels",
            "steps",
            "batch",
            "seed",
            "device",
            "threads",
            "precision",
            "graph",
            "sample_every",
            "checkpoint_every",
            "keep",
            "trace");

    private static final String KERNELS = "kernels";
    private static final List<String> PRECISION = List.of("fp32", "tf32");
    private static final List<String> GRAPH = List.of("auto", "off");
    private static final int MANY = 1_000_000_000;

    /** Checks what {@link #of} checks. */
    public TrainConfig {
        inRange("image_size", imageSize, 0, DatasetOptions.MAX_IMAGE_SIZE);
        if (channels != 0 && channels != 1 && channels != 3) {
            throw new ConfigException("channels must be 1 (grey) or 3 (colour), not " + channels);
        }
        inRange("steps", steps, 1, MANY);
        inRange("batch", batch, 1, 1_000_000);
        inRange("threads", threads, 0, 256);
        oneOf("precision", precision, PRECISION);
        oneOf("graph", graph, GRAPH);
        inRange("sample_every", sampleEvery, 0, MANY);
        inRange("checkpoint_every", checkpointEvery, 0, MANY);
        inRange("keep", keep, 1, 1_000_000);
        inRange("trace", trace, 0, MANY);
        if (data.isBlank()) {
            throw new ConfigException("data must name a data set, a folder or files");
        }
    }

    /** {@return the configuration that a run has when nothing is said} */
    public static TrainConfig defaults() {
        return of(Map.of());
    }

    /**
     * Completes a partial configuration with defaults.
     *
     * @param values by key: those of {@link #KEYS}, the model's settings, or {@code settings} with a map of these; dashes
     *     may stand for underscores; {@code kernels} becomes an option of the device
     * @return the configuration
     * @throws ConfigException naming the key, the value and what is allowed
     */
    public static TrainConfig of(Map<String, ?> values) {
        return new Reader(values).read();
    }

    /** {@return all values by key, such that {@link #of} gives this configuration back} */
    public Map<String, Object> toMap() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("model", model);
        map.put("data", data);
        map.put("image_size", (long) imageSize);
        map.put("channels", (long) channels);
        map.put("steps", (long) steps);
        map.put("batch", (long) batch);
        map.put("seed", seed);
        map.put("device", device);
        map.put("threads", (long) threads);
        map.put("precision", precision);
        map.put("graph", graph);
        map.put("sample_every", (long) sampleEvery);
        map.put("checkpoint_every", (long) checkpointEvery);
        map.put("keep", (long) keep);
        map.put("trace", (long) trace);
        map.put("settings", settings.values());
        return map;
    }

    /**
     * Changes some values.
     *
     * @param values by key, as for {@link #of}; {@code kernels} without a device changes the device's
     * @return a configuration with these changes
     */
    public TrainConfig with(Map<String, ?> values) {
        Map<String, Object> merged = toMap();
        Map<String, Object> changedSettings = new LinkedHashMap<>(settings.values());
        values.forEach((key, value) -> {
            String name = normalized(key);
            if (name.equals("settings") && value instanceof Map<?, ?> map) {
                map.forEach((k, v) -> changedSettings.put(normalized(String.valueOf(k)), v));
            } else if (KEYS.contains(name) || name.equals(KERNELS)) {
                merged.put(name, value);
            } else {
                changedSettings.put(name, value);
            }
        });
        merged.put("settings", changedSettings);
        if (values.containsKey(KERNELS) && !values.containsKey("device")) {
            merged.put("device", DeviceName.of(device).without(KERNELS).toString());
        }
        if (!values.containsKey("precision")
                && precisionOf(merged.get("device")).isPresent()) {
            merged.remove("precision"); // the new device brings its own
        }
        return of(merged);
    }

    /** {@return the type of the model} */
    public ModelType modelType() {
        return Models.named(model);
    }

    /** {@return whose kernels compute, if the device's name says so} */
    public Optional<String> kernels() {
        return DeviceName.of(device).option(KERNELS);
    }

    /** {@return the name to open the device by, thread count and precision included} */
    public String deviceName() {
        return deviceName(device, threads, precision);
    }

    /**
     * {@return the name to open a device by}
     *
     * @param device its name, with or without options
     * @param threads the worker threads; 0 lets the device choose
     * @param precision {@code fp32} or {@code tf32}
     * @throws ConfigException if the device's own options contradict
     */
    public static String deviceName(String device, int threads, String precision) {
        inRange("threads", threads, 0, 256);
        oneOf("precision", precision, PRECISION);
        DeviceName name = DeviceName.of(device);
        if (threads != 0) {
            name = name.with("threads", Integer.toString(threads));
        }
        DeviceName precise = name.with("precision", precision);
        return (precision.equals(PRECISION.getFirst()) ? name : precise).toString();
    }

    private static Optional<String> precisionOf(Object device) {
        return device == null
                ? Optional.empty()
                : DeviceName.of(device.toString()).option("precision");
    }

    /** {@return the name of a setting as files write it} */
    static String normalized(String key) {
        return key.trim().replace('-', '_');
    }

    private static void oneOf(String key, String value, List<String> known) {
        if (!known.contains(value)) {
            throw new ConfigException(key + " must be " + String.join(" or ", known) + ", not '" + value + "'");
        }
    }

    private static void inRange(String key, long value, long low, long high) {
        if (value < low || value > high) {
            throw new ConfigException(key + " must be "
                    + (high == MANY ? "at least " + low : "in " + low + " to " + high) + ", not " + value);
        }
    }

    /** Reads one map of values, each key once. */
    private static final class Reader {
        private final Map<String, Object> values = new LinkedHashMap<>();
        private final Map<String, Object> settings = new LinkedHashMap<>();

        Reader(Map<String, ?> given) {
            given.forEach((key, value) -> {
                String name = normalized(key);
                if (name.equals("settings")) {
                    nested(value).forEach((k, v) -> settings.put(normalized(String.valueOf(k)), v));
                } else if (KEYS.contains(name) || name.equals(KERNELS)) {
                    values.put(name, value);
                } else {
                    settings.put(name, value);
                }
            });
        }

        TrainConfig read() {
            String model = text("model").orElse(Models.DEFAULT);
            try {
                ModelType type = Models.named(model);
                requireKnown(type);
                return new TrainConfig(
                        model,
                        type.defaults().withAll(settings),
                        data().orElse("mnist"),
                        integer("image_size", 0),
                        integer("channels", 0),
                        integer("steps", 3000),
                        integer("batch", 64),
                        whole("seed", 42),
                        device(),
                        integer("threads", 0),
                        precision(),
                        graph(),
                        integer("sample_every", 50),
                        integer("checkpoint_every", 500),
                        integer("keep", 3),
                        integer("trace", 0));
            } catch (ConfigException e) {
                throw e;
            } catch (IllegalArgumentException e) {
                throw new ConfigException(e.getMessage(), e);
            }
        }

        private void requireKnown(ModelType type) {
            List<String> known = new ArrayList<>(type.defaults().keys());
            for (String key : settings.keySet()) {
                if (!known.contains(key)) {
                    known.addAll(0, KEYS);
                    throw new ConfigException("unknown setting '" + key + "' of model " + type.name() + "; "
                            + Suggestions.didYouMean(key, known));
                }
            }
        }

        private static Map<?, ?> nested(Object value) {
            if (value instanceof Map<?, ?> map) {
                return map;
            }
            throw new ConfigException("settings must be a map of keys to values, not " + value);
        }

        private Optional<String> text(String key) {
            return Optional.ofNullable(values.get(key)).map(Objects::toString);
        }

        /** A precision among the options of the device has its place in {@link #precision}; kernels belong to the device. */
        private String device() {
            DeviceName device = DeviceName.of(text("device").orElse("auto"));
            if (device.option("precision").isPresent()) {
                device.with("precision", precision());
            }
            DeviceName imprecise = device.without("precision");
            return text(KERNELS)
                    .map(own -> imprecise.with(KERNELS, own))
                    .orElse(imprecise)
                    .toString();
        }

        private String precision() {
            return text("precision").or(() -> precisionOf(values.get("device"))).orElse(PRECISION.getFirst());
        }

        /** YAML reads {@code off} as false. */
        private String graph() {
            return values.get("graph") instanceof Boolean on
                    ? (on ? "auto" : "off")
                    : text("graph").orElse("auto");
        }

        private Optional<String> data() {
            return values.get("data") instanceof List<?> files
                    ? Optional.of(
                            String.join(",", files.stream().map(String::valueOf).toList()))
                    : text("data");
        }

        private int integer(String key, int otherwise) {
            long value = whole(key, otherwise);
            if (value != (int) value) {
                throw new ConfigException(key + " must be less than 2147483648, not " + value);
            }
            return (int) value;
        }

        private long whole(String key, long otherwise) {
            Object value = values.get(key);
            if (value == null) {
                return otherwise;
            }
            try {
                return Long.parseLong(value.toString().trim());
            } catch (NumberFormatException e) {
                throw new ConfigException(key + " must be a whole number, not '" + value + "'", e);
            }
        }
    }
}
