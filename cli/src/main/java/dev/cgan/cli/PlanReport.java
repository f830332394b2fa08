package dev.cgan.cli;

import dev.cgan.data.DatasetOptions;
import dev.cgan.data.Datasets;
import dev.cgan.io.ConfigException;
import dev.cgan.train.TrainConfig;
import dev.cgan.train.TrainListener;
import dev.cgan.train.Trainer;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code doctor --plan}: what {@code kernels=auto} chose for each operation of a step, and what it measured. */
final class PlanReport {
    /** {@code plan: conv2d_forward n64 h28 ...: vendor (handwritten 1.5 ms, direct 2 ms, vendor 1 ms)}. */
    private static final Pattern LINE = Pattern.compile("plan: (\\w+) ([^:]+): (\\w+) \\((.+)\\)");

    private static final Pattern SIZE = Pattern.compile("(stride|pad|up|[nhwckrsm])([0-9][0-9,x]*)");

    private PlanReport() {}

    static int print(PrintWriter out, TrainConfig config) {
        try (Trainer trainer = create(config.with(Map.of("steps", 1)))) {
            trainer.run();
            String report = trainer.deviceReport();
            out.println(report.lines().findFirst().orElseThrow());
            out.println(config.model() + ", one step of " + config.batch() + " images; * = chosen; ms (GFLOP/s)");
            report.lines().map(LINE::matcher).filter(Matcher::matches).forEach(line -> row(out, line));
            out.println("Calls, and whose kernels served them:");
            report.lines()
                    .skip(1)
                    .filter(line ->
                            !line.startsWith("plan: ") || !LINE.matcher(line).matches())
                    .forEach(line -> out.println("  " + line));
            return 0;
        } catch (IOException | IllegalArgumentException e) {
            throw new ConfigException(e.getMessage(), e);
        }
    }

    private static Trainer create(TrainConfig config) throws IOException {
        return Trainer.create(config, Datasets.open(config.data(), DatasetOptions.defaults()), new TrainListener() {});
    }

    private static void row(PrintWriter out, Matcher line) {
        double flops = flops(line.group(1), line.group(2));
        out.printf("%s %s%n", line.group(1), line.group(2));
        for (String candidate : line.group(4).split(", ")) {
            String[] words = candidate.split(" ");
            double milliseconds = Double.parseDouble(words[1]);
            out.printf(
                    Locale.ROOT,
                    "    %s %-12s %9.3f %9.0f%n",
                    words[0].equals(line.group(3)) ? "*" : " ",
                    words[0],
                    milliseconds,
                    milliseconds == 0 ? 0 : flops / milliseconds * 1e-6);
        }
    }

    /** {@return the floating-point operations of the definition} */
    private static double flops(String operation, String shapes) {
        Map<String, String> sizes = new LinkedHashMap<>();
        Matcher size = SIZE.matcher(shapes);
        while (size.find()) {
            sizes.putIfAbsent(size.group(1), size.group(2));
        }
        if (!operation.startsWith("conv2d")) {
            return 2 * number(sizes, "m") * number(sizes, "n") * number(sizes, "k");
        }
        String[] pads = sizes.get("pad").split(",");
        String[] strides = sizes.get("stride").split("x");
        double height =
                result(number(sizes, "h") * number(sizes, "up"), pads[0], pads[2], number(sizes, "r"), strides[0]);
        double width =
                result(number(sizes, "w") * number(sizes, "up"), pads[1], pads[3], number(sizes, "s"), strides[1]);
        return 2
                * number(sizes, "n")
                * height
                * width
                * number(sizes, "k")
                * number(sizes, "r")
                * number(sizes, "s")
                * number(sizes, "c");
    }

    private static double result(double source, String before, String after, double kernel, String stride) {
        double padded = source + Integer.parseInt(before) + Integer.parseInt(after);
        return Math.floor((padded - kernel) / Integer.parseInt(stride)) + 1;
    }

    private static double number(Map<String, String> sizes, String name) {
        return Double.parseDouble(sizes.get(name));
    }
}
