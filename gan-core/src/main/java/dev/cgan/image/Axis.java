package dev.cgan.image;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Maps values to places along a line, and finds round numbers to mark.
 *
 * @param low the value at the beginning
 * @param high the value at the end, greater than {@code low}
 * @param logarithmic whether equal ratios are equally long; then {@code low} is positive
 */
record Axis(double low, double high, boolean logarithmic) {
    private static final double[] ROUND = {1, 2, 5, 10};
    private static final double SMALLEST_SPAN = 1e-30;

    /** {@return a linear axis for these limits, widened if they are nearly equal} */
    static Axis linear(double low, double high) {
        if (high - low > Math.max(SMALLEST_SPAN, 1e-9 * Math.max(Math.abs(low), Math.abs(high)))) {
            return new Axis(low, high, false);
        }
        double margin = Math.max(Math.abs(low) * 0.1, 0.5);
        return new Axis(low - margin, low + margin, false);
    }

    /** {@return where a value lies: 0 at the beginning, 1 at the end, beyond outside; NaN for what has no place} */
    double place(double value) {
        if (logarithmic) {
            return value > 0 ? Math.log(value / low) / Math.log(high / low) : Double.NaN;
        }
        return (value - low) / (high - low);
    }

    /** {@return round values within the limits, about {@code wanted} of them} */
    List<Double> ticks(int wanted) {
        return logarithmic ? logarithmicTicks(wanted) : linearTicks(wanted);
    }

    private List<Double> linearTicks(int wanted) {
        double rough = (high - low) / wanted;
        double power = Math.pow(10, Math.floor(Math.log10(rough)));
        double step = 10 * power;
        for (double factor : ROUND) {
            if (factor * power >= rough * 0.999) {
                step = factor * power;
                break;
            }
        }
        List<Double> ticks = new ArrayList<>();
        for (long i = (long) Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) {
            ticks.add(i * step);
        }
        return ticks;
    }

    private List<Double> logarithmicTicks(int wanted) {
        int first = (int) Math.floor(Math.log10(low));
        int last = (int) Math.ceil(Math.log10(high));
        int decades = last - first - 2; // whole ones that surely lie inside
        int stride = Math.max(1, (decades + wanted - 1) / wanted);
        boolean between = decades < wanted / 2;
        List<Double> ticks = new ArrayList<>();
        for (int power = first; power <= last; power += stride) {
            for (double factor : between ? new double[] {1, 2, 5} : new double[] {1}) {
                double tick = factor * Math.pow(10, power);
                if (tick >= low * 0.999999 && tick <= high * 1.000001) {
                    ticks.add(tick);
                }
            }
        }
        return ticks;
    }

    /** {@return a tick in as few characters as it needs} */
    static String label(double tick) {
        double size = Math.abs(tick);
        if (size < 1e-12) {
            return "0";
        }
        if (size >= 1e6 || size < 1e-4) {
            return String.format(Locale.ROOT, "%.0e", tick)
                    .replace("e+0", "e")
                    .replace("e-0", "e-")
                    .replace("e+", "e");
        }
        String text = String.format(Locale.ROOT, "%.6f", tick);
        return text.replaceAll("0+$", "").replaceAll("\\.$", "");
    }
}
