package dev.cgan.benchmarks;

import dev.cgan.tensor.Device;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Which candidates have served an operator so far, as the device counts them in its description. */
final class Served {
    private final Map<String, Long> counts = new HashMap<>();

    private Served() {}

    /** {@return the counts of an operator, from a line such as {@code matmul: vendor 3 handwritten 1}} */
    static Served of(Device device, String operator) {
        Served served = new Served();
        device.describe()
                .lines()
                .filter(line -> line.startsWith(operator + ":"))
                .forEach(line -> served.parse(
                        line.substring(operator.length() + 1).trim().split(" ")));
        return served;
    }

    private void parse(String[] words) {
        for (int i = 0; i + 1 < words.length; i += 2) {
            counts.put(words[i], Long.valueOf(words[i + 1]));
        }
    }

    /** {@return the candidates that have served the operator since then} */
    Set<String> since(Served before) {
        Set<String> changed = new TreeSet<>();
        counts.forEach((candidate, count) -> {
            if (count > before.counts.getOrDefault(candidate, 0L)) {
                changed.add(candidate);
            }
        });
        return changed;
    }
}
