package dev.cgan.image;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * One diagram of curves over steps: frame, grid, ticks, legend; each curve as it is, pale, and smoothed.
 *
 * @param title the heading
 * @param steps the step of each value, ascending
 * @param curves the curves, all as long as {@code steps}
 * @param probabilities whether the values are probabilities, which then fill the axis from 0 to 1
 */
record Panel(String title, double[] steps, List<Curve> curves, boolean probabilities) {
    private static final int INK = 0x303030;
    private static final int PALE = 0x707070;
    private static final int GRID = 0xe4e4e4;
    private static final int SCALE = 2;
    private static final int LEFT = 86;
    private static final int RIGHT = 20;
    private static final int TOP = 34;
    private static final int BOTTOM = 36;
    private static final double LOG_RATIO = 50;
    private static final double LOG_DECADES = 1e12;

    /** No axis is made for values beyond this. */
    private static final double LARGEST = 1e30;

    /** A named curve. */
    record Curve(String name, double[] values, int color) {}

    void draw(Canvas canvas, int x, int y, int width, int height) {
        int left = x + LEFT;
        int top = y + TOP;
        int columns = width - LEFT - RIGHT;
        int rows = height - TOP - BOTTOM;
        Axis across = Axis.linear(steps.length == 0 ? 0 : steps[0], steps.length == 0 ? 1 : steps[steps.length - 1]);
        Axis up = upright();
        canvas.text(left, y + 8, title + (up.logarithmic() ? " (log)" : ""), SCALE, INK);
        legend(canvas, left + columns, y + 8);
        grid(canvas, across, up, left, top, columns, rows);
        Canvas plot = new Canvas(columns, rows, 0);
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                plot.fill(column, row, 1, 1, canvas.rgb(left + column, top + row));
            }
        }
        for (Curve curve : curves) {
            band(plot, across, up, curve);
        }
        for (Curve curve : curves) {
            line(plot, across, up, curve);
        }
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                canvas.fill(left + column, top + row, 1, 1, plot.rgb(column, row));
            }
        }
        frame(canvas, left, top, columns, rows);
    }

    /** Limits that hold all but the rarest values, so that one spike does not flatten the rest. */
    private Axis upright() {
        double[] finite = curves.stream()
                .flatMapToDouble(curve -> Arrays.stream(curve.values()))
                .filter(value -> Math.abs(value) <= LARGEST)
                .sorted()
                .toArray();
        if (finite.length == 0 || (probabilities && finite[0] >= 0 && finite[finite.length - 1] <= 1)) {
            return new Axis(0, 1, false);
        }
        int rare = finite.length / 200;
        double low = finite[rare];
        double high = finite[finite.length - 1 - rare];
        if (low > 0 && high / low > LOG_RATIO) {
            return new Axis(Math.max(low, high / LOG_DECADES) / 1.15, high * 1.15, true);
        }
        double margin = 0.05 * (high - low);
        boolean fromZero = low >= 0 && low < 0.3 * high;
        return Axis.linear(fromZero ? 0 : low - margin, high + margin);
    }

    private void legend(Canvas canvas, int right, int y) {
        int x = right;
        for (Curve curve : curves.reversed()) {
            x -= Canvas.textWidth(curve.name(), SCALE);
            canvas.text(x, y, curve.name(), SCALE, INK);
            x -= 34;
            canvas.fill(x, y + 5, 26, 4, curve.color());
            x -= 22;
        }
    }

    private static void grid(Canvas canvas, Axis across, Axis up, int left, int top, int columns, int rows) {
        int half = 7 * SCALE / 2;
        for (double tick : up.ticks(6)) {
            int y = top + (int) Math.round((1 - up.place(tick)) * (rows - 1));
            canvas.fill(left, y, columns, 1, GRID);
            canvas.fill(left - 5, y, 5, 1, INK);
            String label = Axis.label(tick);
            canvas.text(left - 10 - Canvas.textWidth(label, SCALE), y - half, label, SCALE, PALE);
        }
        for (double tick : across.ticks(8)) {
            int x = left + (int) Math.round(across.place(tick) * (columns - 1));
            canvas.fill(x, top, 1, rows, GRID);
            canvas.fill(x, top + rows, 1, 5, INK);
            String label = Axis.label(tick);
            int start = x - Canvas.textWidth(label, SCALE) / 2;
            int limit = canvas.width() - Canvas.textWidth(label, SCALE) - 2;
            canvas.text(Math.min(start, limit), top + rows + 10, label, SCALE, PALE);
        }
    }

    private static void frame(Canvas canvas, int left, int top, int columns, int rows) {
        canvas.fill(left - 1, top - 1, columns + 2, 1, INK);
        canvas.fill(left - 1, top + rows, columns + 2, 1, INK);
        canvas.fill(left - 1, top - 1, 1, rows + 2, INK);
        canvas.fill(left + columns, top - 1, 1, rows + 2, INK);
    }

    /** All values as they are: for each column of pixels a bar from the smallest to the largest. */
    private void band(Canvas plot, Axis across, Axis up, Curve curve) {
        double[] lowest = new double[plot.width()];
        double[] highest = new double[plot.width()];
        Arrays.fill(lowest, Double.POSITIVE_INFINITY);
        Arrays.fill(highest, Double.NEGATIVE_INFINITY);
        for (int i = 0; i < steps.length; i++) {
            double row = (1 - up.place(curve.values()[i])) * (plot.height() - 1);
            int column = (int) Math.round(across.place(steps[i]) * (plot.width() - 1));
            if (Double.isFinite(row)) {
                lowest[column] = Math.min(lowest[column], row);
                highest[column] = Math.max(highest[column], row);
            }
        }
        List<double[]> points = new ArrayList<>();
        for (int column = 0; column < plot.width(); column++) {
            if (lowest[column] <= highest[column]) {
                points.add(new double[] {column + 0.5, clip(plot, lowest[column])});
                points.add(new double[] {column + 0.5, clip(plot, highest[column])});
            }
        }
        plot.polyline(
                points.stream().mapToDouble(p -> p[0]).toArray(),
                points.stream().mapToDouble(p -> p[1]).toArray(),
                1,
                curve.color(),
                0.3);
    }

    /** The exponential moving average, one point for each column of pixels. */
    private void line(Canvas plot, Axis across, Axis up, Curve curve) {
        double decay = 1 - 1 / Math.max(1, steps.length / 40.0);
        double average = 0;
        double weight = 0;
        double[] xs = new double[plot.width()];
        double[] ys = new double[plot.width()];
        Arrays.fill(ys, Double.NaN);
        int points = 0;
        for (int i = 0; i < steps.length; i++) {
            if (!Double.isFinite(curve.values()[i])) {
                continue;
            }
            // A spike beyond the border counts as if it were at the border.
            average = decay * average + (1 - decay) * Math.clamp(curve.values()[i], up.low(), up.high());
            weight = decay * weight + (1 - decay);
            double x = Math.round(across.place(steps[i]) * (plot.width() - 1)) + 0.5;
            if (points == 0 || xs[points - 1] != x) {
                points++;
            }
            xs[points - 1] = x;
            ys[points - 1] = clip(plot, (1 - up.place(average / weight)) * (plot.height() - 1) + 0.5);
        }
        plot.polyline(Arrays.copyOf(xs, points), Arrays.copyOf(ys, points), 2.2, curve.color(), 1);
    }

    private static double clip(Canvas plot, double row) {
        return Math.clamp(row, 0.0, plot.height() - 1.0);
    }
}
