package dev.cgan.cli;

import java.util.Locale;

/** Quantities for people. */
final class Units {
    private static final String[] BYTES = {"B", "KiB", "MiB", "GiB", "TiB"};

    private Units() {}

    /** {@return a number of bytes with a binary unit, such as {@code 412 MiB}} */
    static String bytes(long count) {
        double value = count;
        int unit = 0;
        while (value >= 1024 && unit + 1 < BYTES.length) {
            value /= 1024;
            unit++;
        }
        return String.format(Locale.ROOT, unit > 0 && value < 10 ? "%.1f %s" : "%.0f %s", value, BYTES[unit]);
    }

    /** {@return seconds as {@code 45s}, {@code 9m21s}, {@code 1h02m} or {@code 3d04h}} */
    static String duration(double seconds) {
        if (!Double.isFinite(seconds)) {
            return "?";
        }
        long all = Math.round(Math.max(0, seconds));
        if (all < 60) {
            return all + "s";
        }
        if (all < 3600) {
            return String.format(Locale.ROOT, "%dm%02ds", all / 60, all % 60);
        }
        return all < 86_400
                ? String.format(Locale.ROOT, "%dh%02dm", all / 3600, all / 60 % 60)
                : String.format(Locale.ROOT, "%dd%02dh", all / 86_400, all / 3600 % 24);
    }

    /** {@return a count with a comma at each thousand} */
    static String count(long count) {
        return String.format(Locale.ROOT, "%,d", count);
    }
}
