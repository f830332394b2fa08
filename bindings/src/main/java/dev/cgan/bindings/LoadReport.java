package dev.cgan.bindings;

import java.nio.file.Path;
import java.util.List;

/**
 * Which libcgan this process uses, and what was tried before it.
 *
 * @param path the file
 * @param source what named it: a property, an environment variable, the jar, a folder of the library path
 * @param abiMajor major number of the C interface that the library speaks
 * @param abiMinor minor number
 * @param declined one line for each place that was tried before without success
 */
public record LoadReport(Path path, String source, int abiMajor, int abiMinor, List<String> declined) {
    /** Keeps its own copy of the list. */
    public LoadReport {
        declined = List.copyOf(declined);
    }

    @Override
    public String toString() {
        return "libcgan %s (ABI %d.%d, from %s)".formatted(path, abiMajor, abiMinor, source);
    }
}
