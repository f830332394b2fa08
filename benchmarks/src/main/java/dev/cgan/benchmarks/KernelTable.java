package dev.cgan.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import javax.imageio.ImageIO;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.openjdk.jmh.results.RunResult;

/** What the kernel benchmark measured: a line for each problem, the first candidate held against the second. */
final class KernelTable {
    private final String description;
    private final List<String> candidates;
    private final List<Problem> problems;
    private final Map<String, Double> seconds = new HashMap<>(); // by candidate|problem

    /**
     * Reads results.
     *
     * @param description the devices in words
     * @param candidates which kernels, ours first
     * @param problems in the order of the lines
     * @param results of {@link KernelBenchmark}
     */
    KernelTable(
            String description, List<String> candidates, Collection<Problem> problems, Collection<RunResult> results) {
        this.description = description;
        this.candidates = candidates;
        this.problems = List.copyOf(problems);
        for (RunResult result : results) {
            double nanoseconds = result.getSecondaryResults().get("nanoseconds").getScore();
            double calls = result.getSecondaryResults().get("calls").getScore();
            seconds.put(result.getParams().getParam("problem"), nanoseconds / calls / 1e9);
        }
    }

    /** Writes NAME.md, NAME.csv and, if there are two candidates to compare, NAME.png. */
    void writeTo(Path folder, String name) throws IOException {
        Files.createDirectories(folder);
        Files.writeString(folder.resolve(name + ".md"), text());
        Files.writeString(folder.resolve(name + ".csv"), csv());
        if (candidates.size() >= 2 && !ratios().isEmpty()) {
            ImageIO.write(
                    BitmapEncoder.getBufferedImage(plot()),
                    "png",
                    folder.resolve(name + ".png").toFile());
        }
    }

    /** {@return the table as Markdown} */
    String text() {
        List<String> lines = new ArrayList<>();
        lines.add(description.replace("\n", "  \n") + "  ");
        lines.add("Java " + Runtime.version() + ", " + LocalDate.now()
                + ". Microseconds of the device's clock for a call; "
                + "GFLOP/s of the plain algorithm; GB/s of operands read or written once. "
                + "A cell is empty where a candidate does not serve the operator.");
        lines.add("");
        StringBuilder head = new StringBuilder("| operator | shape |");
        for (String candidate : candidates) {
            head.append(" %s us | GFLOP/s | GB/s |".formatted(candidate));
        }
        lines.add(head + (candidates.size() < 2 ? "" : " %s / %s |".formatted(candidates.get(1), candidates.get(0))));
        lines.add("|---|---|" + "--:|--:|--:|".repeat(candidates.size()) + (candidates.size() < 2 ? "" : "--:|"));
        for (Problem problem : problems) {
            lines.add(line(problem));
        }
        return String.join("\n", lines) + "\n";
    }

    private String line(Problem problem) {
        StringBuilder line = new StringBuilder("| %s | %s |".formatted(problem.operator(), problem.shape()));
        for (String candidate : candidates) {
            Double time = time(candidate, problem);
            line.append(
                    time == null
                            ? " | | |"
                            : String.format(
                                    Locale.ROOT,
                                    " %.1f | %s | %.1f |",
                                    time * 1e6,
                                    problem.flops() == 0 ? "" : "%.0f".formatted(problem.flops() / time / 1e9),
                                    problem.bytes() / time / 1e9));
        }
        Double ratio = ratios().get(problem.id());
        if (candidates.size() >= 2) {
            line.append(ratio == null ? " |" : String.format(Locale.ROOT, " %.2f |", ratio));
        }
        return line.toString();
    }

    private String csv() {
        StringBuilder text = new StringBuilder("operator,shape,kernels,seconds,flops,bytes\n");
        for (Problem problem : problems) {
            for (String candidate : candidates) {
                Double time = time(candidate, problem);
                if (time != null) {
                    text.append(String.format(
                            Locale.ROOT,
                            "%s,\"%s\",%s,%.9f,%.0f,%.0f%n",
                            problem.operator(),
                            problem.shape(),
                            candidate,
                            time,
                            problem.flops(),
                            problem.bytes()));
                }
            }
        }
        return text.toString();
    }

    /** The second candidate's time over the first's, of the problems that both serve: above 1 the first is faster. */
    private Map<String, Double> ratios() {
        Map<String, Double> ratios = new HashMap<>();
        for (Problem problem : candidates.size() < 2 ? List.<Problem>of() : problems) {
            Double first = time(candidates.get(0), problem);
            Double second = time(candidates.get(1), problem);
            if (first != null && second != null) {
                ratios.put(problem.id(), second / first);
            }
        }
        return ratios;
    }

    private Double time(String candidate, Problem problem) {
        return seconds.get(candidate + "|" + problem.id());
    }

    /** One point a problem: the ratio over our time, both logarithmic, a colour for each operator. */
    private XYChart plot() {
        XYChart chart = new XYChartBuilder()
                .width(1200)
                .height(800)
                .title("%s / %s; above 1, %s is faster"
                        .formatted(candidates.get(1), candidates.get(0), candidates.get(0)))
                .xAxisTitle("microseconds of a call, " + candidates.get(0))
                .yAxisTitle("ratio of the times")
                .build();
        chart.getStyler().setXAxisLogarithmic(true);
        chart.getStyler().setYAxisLogarithmic(true);
        chart.getStyler().setDefaultSeriesRenderStyle(XYSeries.XYSeriesRenderStyle.Scatter);
        Map<String, List<Problem>> byOperator = new TreeMap<>();
        Map<String, Double> ratios = ratios();
        for (Problem problem : problems) {
            if (ratios.containsKey(problem.id())) {
                byOperator
                        .computeIfAbsent(problem.operator(), _ -> new ArrayList<>())
                        .add(problem);
            }
        }
        byOperator.forEach((operator, members) -> chart.addSeries(
                operator,
                members.stream()
                        .map(problem -> time(candidates.getFirst(), problem) * 1e6)
                        .toList(),
                members.stream().map(problem -> ratios.get(problem.id())).toList()));
        return chart;
    }
}
