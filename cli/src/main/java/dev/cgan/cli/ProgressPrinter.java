package dev.cgan.cli;

import dev.cgan.train.Progress;
import dev.cgan.train.TrainListener;
import dev.cgan.train.TrainStart;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;

/** Shows a training run: one line that is rewritten on a terminal, else a plain line now and then. */
final class ProgressPrinter implements TrainListener {
    private static final long LIVE_NANOS = 100_000_000L;
    private static final long PLAIN_NANOS = 5_000_000_000L;
    private static final int LONGEST_BAR = 20;
    private static final int SHORTEST_BAR = 6;
    private static final int BAR_RANK = 6;

    /** A piece of the line; where the terminal is too narrow, pieces of the greatest rank are left out first. */
    private record Piece(int rank, String text) {}

    private final PrintWriter out;
    private final int width;
    private final boolean quiet;
    private final LongSupplier nanoTime;
    private String model = "";
    private long lastShown;
    private boolean shownBefore;
    private int lineLength;

    /**
     * @param out where to print
     * @param width columns of the terminal whose last line may be rewritten; 0 prints plain lines, seldom
     * @param quiet print warnings only
     * @param nanoTime the clock
     */
    ProgressPrinter(PrintWriter out, int width, boolean quiet, LongSupplier nanoTime) {
        this.out = out;
        this.width = width;
        this.quiet = quiet;
        this.nanoTime = nanoTime;
    }

    @Override
    public synchronized void onStart(TrainStart start) {
        model = start.model();
        if (quiet) {
            return;
        }
        out.println("model   " + start.model());
        out.println("data    " + start.data());
        out.println("device  " + start.device().strip().replace("\n", "\n        "));
        start.folder().ifPresent(folder -> out.println("run     " + folder));
        if (start.firstStep() > 1) {
            out.println("resumed after step " + (start.firstStep() - 1));
        }
        out.flush();
    }

    @Override
    public synchronized void onStep(Progress progress) {
        if (quiet) {
            return;
        }
        long now = nanoTime.getAsLong();
        boolean last = progress.step() == progress.steps();
        if (shownBefore && !last && now - lastShown < (width > 0 ? LIVE_NANOS : PLAIN_NANOS)) {
            return;
        }
        shownBefore = true;
        lastShown = now;
        if (width > 0) {
            String line = fit(progress, width - 1);
            out.print("\r" + line + " ".repeat(Math.max(0, lineLength - line.length())));
            lineLength = line.length();
        } else {
            out.println(joined(pieces(progress, 0)));
        }
        out.flush();
    }

    /** One line for each operator; {@code doctor --plan} shows the shapes and the times. */
    @Override
    public synchronized void onKernels(List<String> choices) {
        if (quiet) {
            return;
        }
        Map<String, Map<String, Long>> shapes = choices.stream()
                .collect(Collectors.groupingBy(
                        choice -> choice.substring(0, choice.indexOf(' ')),
                        TreeMap::new,
                        Collectors.groupingBy(ProgressPrinter::winner, TreeMap::new, Collectors.counting())));
        endLine();
        shapes.forEach((operator, winners) -> out.println("kernels " + operator + ": "
                + winners.entrySet().stream()
                        .map(entry -> entry.getKey() + " for " + entry.getValue()
                                + (entry.getValue() == 1 ? " shape" : " shapes"))
                        .collect(Collectors.joining(", "))));
        out.flush();
    }

    /** {@return the word after the last colon, as in {@code matmul m64 n8 k3: vendor (vendor 1 ms)}} */
    private static String winner(String choice) {
        String[] words = choice.substring(choice.lastIndexOf(": ") + 2).split("[ ,]");
        return words[0];
    }

    @Override
    public synchronized void onWarning(String text) {
        endLine();
        out.println("warning: " + text);
        out.flush();
    }

    /** Says, from any thread, that the run will stop. */
    synchronized void interrupted() {
        endLine();
        out.println("stopping after this step and saving; Ctrl-C again stops at once, without saving");
        out.flush();
    }

    /** Prints a line of its own, unless only warnings are wanted. */
    synchronized void say(String text) {
        if (!quiet) {
            endLine();
            out.println(text);
            out.flush();
        }
    }

    /** Leaves the live line as it is and goes to the next. */
    synchronized void endLine() {
        if (lineLength > 0) {
            out.println();
            out.flush();
            lineLength = 0;
        }
    }

    /** The pieces in their order; without model and bar if the bar has no length. */
    private List<Piece> pieces(Progress p, int barLength) {
        List<Piece> pieces = new ArrayList<>();
        if (barLength > 0) {
            int done = (int) (barLength * p.step() / Math.max(1, p.steps()));
            String rest = done < barLength ? ">" + " ".repeat(barLength - done - 1) : "";
            pieces.add(new Piece(9, model));
            pieces.add(new Piece(BAR_RANK, "[" + "=".repeat(done) + rest + "]"));
        }
        pieces.add(new Piece(8, format("%3d%%", 100 * p.step() / Math.max(1, p.steps()))));
        pieces.add(new Piece(0, "step " + p.step() + "/" + p.steps()));
        pieces.add(new Piece(1, format("d_loss %.3f", p.discriminatorLoss())));
        pieces.add(new Piece(2, format("g_loss %.3f", p.generatorLoss())));
        pieces.add(new Piece(3, format("D(x) %.2f", p.real())));
        pieces.add(new Piece(4, format("D(G(z)) %.2f", p.fake())));
        pieces.add(new Piece(5, format(p.imagesPerSecond() < 10 ? "%.1f img/s" : "%.0f img/s", p.imagesPerSecond())));
        pieces.add(new Piece(7, "mem " + Units.bytes(p.heldBytes())));
        if (Double.isFinite(p.secondsLeft())) {
            pieces.add(new Piece(3, "ETA " + Units.duration(p.secondsLeft())));
        }
        return pieces;
    }

    /** Leaves out what has no room, then lets the bar take the room that is left. */
    private String fit(Progress progress, int columns) {
        List<Piece> kept = pieces(progress, SHORTEST_BAR);
        while (joined(kept).length() > columns && kept.size() > 1) {
            int rank = kept.stream().mapToInt(Piece::rank).max().orElseThrow();
            kept.removeIf(piece -> piece.rank() == rank);
        }
        int greatest = kept.stream().mapToInt(Piece::rank).max().orElseThrow();
        int bar = Math.min(LONGEST_BAR, SHORTEST_BAR + columns - joined(kept).length());
        if (greatest >= BAR_RANK && bar > SHORTEST_BAR) {
            kept = pieces(progress, bar);
            kept.removeIf(piece -> piece.rank() > greatest);
        }
        String line = joined(kept);
        return line.length() <= columns ? line : line.substring(0, Math.max(0, columns));
    }

    private static String joined(List<Piece> pieces) {
        return String.join("  ", pieces.stream().map(Piece::text).toList());
    }

    private static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }
}
