package dev.cgan.data;

import dev.cgan.io.InvalidFileException;
import java.nio.file.Path;

/** Refuses data that the heap cannot hold before any of it is read. */
final class MemoryBudget {
    private MemoryBudget() {}

    static void require(Path path, long bytes) throws InvalidFileException {
        long limit = Runtime.getRuntime().maxMemory() / 4 * 3;
        if (bytes > limit) {
            throw new InvalidFileException(
                    path,
                    "its images take " + (bytes >> 20) + " MiB of memory, " + (limit >> 20) + " MiB are usable",
                    "give Java more memory (-Xmx), use fewer or smaller images, or check the file's header");
        }
    }
}
