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
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code doctor --plan}: what {@code kernels=auto} chose for each operation of a step, and what it measured. */
final class PlanReport {
    /** {@code plan: conv2d_forward n64 h28 ...: vendor (handwritten 1.5 ms, direct 2 ms, vendor 1 ms)}. */
    private static final Pattern LINE = Pattern.compile("plan: (\\w+) ([^:]+): (\\w+) \\((.+)\\)");

    private static final Pattern TIME = Pattern.compile("(\\w+) ([0-9.e+-]+) ms");

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
        Matcher time = TIME.matcher(line.group(4));
        boolean timed = false;
        for (; time.find(); timed = true) {
            double milliseconds = Double.parseDouble(time.group(2));
            String speed = flops > 0 && milliseconds > 0
                    ? String.format(Locale.ROOT, " %9.0f", flops / milliseconds * 1e-6)
                    : "";
            String mark = time.group(1).equals(line.group(3)) ? "*" : " ";
            out.printf(Locale.ROOT, "    %s %-12s %9.3f%s%n", mark, time.group(1), milliseconds, speed);
        }
        if (!timed) {
            out.printf("    * %s: %s%n", line.group(3), line.group(4));
        }
    }

    /** {@return the floating-point operations of the definition; 0 where the device does not name the sizes} */
    private static double flops(String operation, String shapes) {
        Map<String, Double> sizes = new LinkedHashMap<>();
        Map<String, String> lists = new LinkedHashMap<>();
        Matcher size = SIZE.matcher(shapes);
        while (size.find()) {
            if (size.group(2).matches("[0-9]+")) {
                sizes.putIfAbsent(size.group(1), Double.valueOf(size.group(2)));
            } else {
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
