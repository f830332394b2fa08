package dev.cgan.cli;

import dev.cgan.data.DatasetOptions;
import dev.cgan.data.Datasets;
import dev.cgan.io.ConfigException;
import dev.cgan.nn.LayerInfo;
import dev.cgan.train.TrainConfig;
import dev.cgan.train.TrainListener;
import dev.cgan.train.Trainer;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** {@code doctor --plan}: what {@code kernels=auto} chose for each pass of each layer, and what it measured. */
final class PlanReport {
    /** {@code plan: conv2d_forward n64 h28 ...: vendor (handwritten 1.5 ms, direct 2 ms, vendor 1 ms)}. */
    private static final Pattern LINE = Pattern.compile("plan: (\\w+) ([^:]+): (\\w+) \\((.+)\\)");

    /** {@code algorithm: conv2d_forward n64 h28 ...: handwritten winograd}. */
    private static final Pattern ALGORITHM = Pattern.compile("algorithm: ([^:]+): (\\w+) (\\w+)");

    private static final Pattern DIMENSIONS = Pattern.compile("\\[([0-9,]+)]");

    private static final Pattern TIME = Pattern.compile("(\\w+) ([0-9.e+-]+) ms");

    private static final Pattern SIZE = Pattern.compile("(stride|pad|up|[nhwckrsm])([0-9][0-9,x]*)");

    private final PrintWriter out;
    private final List<LayerInfo> layers;
    private final Map<String, String> algorithms = new HashMap<>(); // by operation and candidate

    private PlanReport(PrintWriter out, List<LayerInfo> layers) {
        this.out = out;
        this.layers = layers;
    }

    static int print(PrintWriter out, TrainConfig config) {
        try (Trainer trainer = create(config.with(Map.of("steps", 1)))) {
            trainer.run();
            String report = trainer.deviceReport();
            out.println(report.lines().findFirst().orElseThrow());
            out.println(config.model() + ", one step of " + config.batch() + " images; * = chosen; ms (GFLOP/s)");
            List<LayerInfo> layers =
                    trainer.describe().values().stream().flatMap(List::stream).toList();
            new PlanReport(out, layers).rows(report);
            out.println("Calls, and whose kernels served them:");
            report.lines()
                    .skip(1)
                    .filter(line -> !LINE.matcher(line).matches()
                            && !ALGORITHM.matcher(line).matches())
                    .forEach(line -> out.println("  " + line));
            return 0;
        } catch (IOException | IllegalArgumentException e) {
            throw new ConfigException(e.getMessage(), e);
        }
    }

    private static Trainer create(TrainConfig config) throws IOException {
        return Trainer.create(config, Datasets.open(config.data(), DatasetOptions.defaults()), new TrainListener() {});
    }

    private void rows(String report) {
        report.lines()
                .map(ALGORITHM::matcher)
                .filter(Matcher::matches)
                .forEach(line -> algorithms.put(line.group(1) + " " + line.group(2), line.group(3)));
        report.lines().map(LINE::matcher).filter(Matcher::matches).forEach(this::row);
    }

    private void row(Matcher line) {
        String operation = line.group(1) + " " + line.group(2);
        double flops = flops(line.group(1), line.group(2));
        out.println(operation + layersOf(line.group(2)));
        Matcher time = TIME.matcher(line.group(4));
        boolean timed = false;
        for (; time.find(); timed = true) {
            double milliseconds = Double.parseDouble(time.group(2));
            String speed = flops > 0 && milliseconds > 0
                    ? String.format(Locale.ROOT, " %9.0f", flops / milliseconds * 1e-6)
                    : "";
            String mark = time.group(1).equals(line.group(3)) ? "*" : " ";
            String algorithm = algorithms.getOrDefault(operation + " " + time.group(1), "");
            out.printf(
                    Locale.ROOT,
                    "    %s %-12s %9.3f%s%s%n",
                    mark,
                    time.group(1),
                    milliseconds,
                    speed,
                    algorithm.isEmpty() ? "" : "  " + algorithm);
        }
        if (!timed) {
            out.printf("    * %s: %s%n", line.group(3), line.group(4));
        }
    }

    /** {@return the layers with a weight of these sizes, as {@code  (g_conv1, d_conv2)}, or nothing} */
    private String layersOf(String shapes) {
        List<String> names = layers.stream()
                .filter(layer -> layer.layer().parameters().stream()
                        .anyMatch(weight -> isWeightOf(weight.shape().dims(), shapes)
                                && (weight.shape().rank() < 4 || isImageOf(layer, shapes))))
                .map(LayerInfo::name)
                .toList();
        return names.isEmpty() ? "" : "  (" + String.join(", ", names) + ")";
    }

    /** Convolutions have filters [k, r, s, c]; a dense layer's passes are products with any two sides of [m, n, k]. */
    private static boolean isWeightOf(long[] weight, String shapes) {
        Map<String, Double> sizes = sizes(shapes);
        if (sizes.isEmpty()) {
            return DIMENSIONS
                    .matcher(shapes)
                    .results()
                    .anyMatch(operand -> operand.group(1).equals(joined(weight)));
        }
        if (weight.length == 4) {
            return List.of("k", "r", "s", "c").stream().map(sizes::get).toList().equals(boxed(weight));
        }
        return weight.length == 2
                && sizes.containsKey("m")
                && (boxed(weight).equals(sides(sizes, "n", "k"))
                        || boxed(weight).equals(sides(sizes, "k", "n"))
                        || boxed(weight).equals(sides(sizes, "m", "n")));
    }

    /** An operation's image is what a convolution takes, or what a transposed one makes. */
    private static boolean isImageOf(LayerInfo layer, String shapes) {
        Map<String, Double> sizes = sizes(shapes);
        return sizes.isEmpty()
                || Stream.of(layer.input(), layer.output())
                        .filter(image -> image.rank() == 4)
                        .anyMatch(image -> sizes.get("h") == image.dim(1) && sizes.get("w") == image.dim(2));
    }

    private static List<Double> sides(Map<String, Double> sizes, String first, String second) {
        return List.of(sizes.get(first), sizes.get(second));
    }

    private static List<Double> boxed(long[] dims) {
        return Arrays.stream(dims).mapToObj(dim -> (double) dim).toList();
    }

    private static String joined(long[] dims) {
        return Arrays.stream(dims).mapToObj(Long::toString).collect(Collectors.joining(","));
    }

    /** {@return the sizes that have a letter, as on a CPU; none where operands stand in brackets} */
    private static Map<String, Double> sizes(String shapes) {
        Map<String, Double> sizes = new HashMap<>();
        Matcher size = SIZE.matcher(shapes);
        while (size.find()) {
            if (size.group(2).matches("[0-9]+")) {
                sizes.putIfAbsent(size.group(1), Double.valueOf(size.group(2)));
            }
        }
        return sizes;
    }

    /** {@return the floating-point operations of the definition; 0 where the device does not name the sizes} */
    private static double flops(String operation, String shapes) {
        Map<String, Double> sizes = sizes(shapes);
        Map<String, String> lists = new HashMap<>();
        Matcher size = SIZE.matcher(shapes);
        while (size.find()) {
            if (!size.group(2).matches("[0-9]+")) {
                lists.putIfAbsent(size.group(1), size.group(2));
            }
        }
        if (operation.startsWith("conv2d") && lists.keySet().containsAll(List.of("pad", "stride"))) {
            String[] pads = lists.get("pad").split(",");
            String[] strides = lists.get("stride").split("x");
            double height = result(sizes.get("h") * sizes.get("up"), pads[0], pads[2], sizes.get("r"), strides[0]);
            double width = result(sizes.get("w") * sizes.get("up"), pads[1], pads[3], sizes.get("s"), strides[1]);
            return 2 * height * width * product(sizes, "nkrsc");
        }
        return sizes.keySet().containsAll(List.of("m", "n", "k")) ? 2 * product(sizes, "mnk") : 0;
    }

    private static double product(Map<String, Double> sizes, String names) {
        return names.chars()
                .mapToDouble(name -> sizes.get(Character.toString(name)))
                .reduce(1, (a, b) -> a * b);
    }

    private static double result(double source, String before, String after, double kernel, String stride) {
        double padded = source + Integer.parseInt(before) + Integer.parseInt(after);
        return Math.floor((padded - kernel) / Integer.parseInt(stride)) + 1;
    }
}
