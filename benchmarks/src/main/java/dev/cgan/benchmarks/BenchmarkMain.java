package dev.cgan.benchmarks;

import dev.cgan.tensor.Device;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.regex.Pattern;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/**
 * JMH's command line, with what the kernel benchmark needs: it finds the problems of the models and the candidates that
 * serve them, and writes a table and a plot at the end.
 *
 * <p>Options beside JMH's, as parameters: {@code -p device=cpu}, {@code -p kernels=handwritten,vendor}, {@code -p
 * models=report,cgan,dcgan:64x64x3,dcgan,wgan-gp}, {@code -p batch=64}, {@code -p operator=REGEX}, {@code -p out=FOLDER}.
 */
public final class BenchmarkMain {
    private static final List<String> KERNELS = List.of("handwritten", "vendor");
    private static final List<String> MODELS = List.of("report", "cgan", "dcgan:64x64x3", "dcgan", "wgan-gp");

    private BenchmarkMain() {}

    /**
     * Runs benchmarks.
     *
     * @param arguments as JMH takes them, {@code -h} lists them
     * @throws Exception if a benchmark fails
     */
    public static void main(String[] arguments) throws Exception {
        try {
            CommandLineOptions given = new CommandLineOptions(arguments);
            boolean asksAQuestion = given.shouldHelp()
                    || given.shouldList()
                    || given.shouldListWithParams()
                    || given.shouldListProfilers()
                    || given.shouldListResultFormats();
            if (asksAQuestion || !includesKernels(given)) {
                org.openjdk.jmh.Main.main(arguments);
                return;
            }
            System.out.println(kernels(given));
        } catch (CommandLineOptionException | IllegalArgumentException | UnsupportedOperationException e) {
            System.err.println("benchmarks: " + e.getMessage());
            System.exit(2);
        }
    }

    private static boolean includesKernels(CommandLineOptions given) {
        String name = KernelBenchmark.class.getName() + ".calls";
        return given.getIncludes().isEmpty()
                || given.getIncludes().stream()
                        .anyMatch(pattern ->
                                Pattern.compile(pattern).matcher(name).find());
    }

    /** {@return the table, which has also been written to files} */
    static String kernels(CommandLineOptions given) throws RunnerException, IOException {
        String device = one(given, "device", "cpu");
        List<String> candidates = many(given, "kernels", KERNELS);
        String models = String.join("+", many(given, "models", MODELS));
        int batch = Integer.parseInt(one(given, "batch", "64"));
        Pattern operator = Pattern.compile(one(given, "operator", ""));
        Path out = Path.of(one(given, "out", "build/benchmarks"));

        Collection<Problem> problems = ModelProblems.of(List.of(models.split("\\+")), batch).stream()
                .filter(problem -> operator.matcher(problem.operator()).find())
                .toList();
        if (problems.isEmpty()) {
            throw new IllegalArgumentException(
                    "operator=" + operator + ": no layer of " + models + " calls such a one");
        }
        String description = describe(device, candidates);
        ChainedOptionsBuilder options = new OptionsBuilder()
                .parent(given)
                .shouldFailOnError(true)
                .param("device", device)
                .param("models", models)
                .param("batch", String.valueOf(batch))
                .param("problem", served(device, candidates, problems).toArray(String[]::new));
        Collection<RunResult> results = new Runner(options.build()).run();
        KernelTable table = new KernelTable(description, candidates, problems, results);
        table.writeTo(out, "kernels-" + device.replaceAll("[^a-z0-9]+", "-"));
        return table.text();
    }

    /** {@return what each candidate's device says of itself} Fails if one cannot be had. */
    private static String describe(String device, List<String> candidates) {
        List<String> lines = new ArrayList<>();
        for (String candidate : candidates) {
            String name = device + (device.contains("?") ? "&" : "?") + "kernels=" + candidate;
            try (Device opened = Device.open(name)) {
                String first = opened.describe().lines().findFirst().orElse(name);
                lines.add(first.replaceAll(", /[^)]*", "")); // where a library lies is this machine's affair
            } catch (RuntimeException e) {
                throw new IllegalArgumentException(
                        "kernels=" + candidate + " cannot be measured: " + e.getMessage()
                                + "; choose others with -p kernels=handwritten,reference",
                        e);
            }
        }
        return String.join("\n", lines);
    }

    /** {@return candidate|problem for each pair that the device really serves so: no candidate is measured as another} */
    private static List<String> served(String device, List<String> candidates, Collection<Problem> problems) {
        List<String> pairs = new ArrayList<>();
        for (Problem problem : problems) {
            for (String candidate : candidates) {
                try (Trial trial = Trial.open(device, candidate, problem)) {
                    if (trial.isServedBy(candidate)) {
                        pairs.add(candidate + "|" + problem.id());
                    }
                }
            }
        }
        if (pairs.isEmpty()) {
            throw new IllegalArgumentException("device " + device + " serves none of these operators with "
                    + String.join(", ", candidates) + " kernels, or does not count which kernels it uses");
        }
        return pairs;
    }

    private static String one(CommandLineOptions given, String name, String fallback) {
        List<String> values = many(given, name, List.of(fallback));
        if (values.size() != 1) {
            throw new IllegalArgumentException(name + " takes one value in a run, not " + values);
        }
        return values.getFirst();
    }

    private static List<String> many(CommandLineOptions given, String name, List<String> fallback) {
        return given.getParameter(name).hasValue()
                ? List.copyOf(given.getParameter(name).get())
                : fallback;
    }
}
