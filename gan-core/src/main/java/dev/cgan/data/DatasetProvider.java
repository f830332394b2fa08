package dev.cgan.data;

import java.io.IOException;

/**
 * A data set that a module brings along, found through {@link java.util.ServiceLoader}, so that the core carries no
 * data itself.
 */
public interface DatasetProvider {
    /** {@return the name by which users ask for it, for example {@code mnist}} */
    String name();

    /**
     * Loads it.
     *
     * @param split which part
     * @return the data set
     * @throws IOException if its files are damaged
     */
    Dataset load(Split split) throws IOException;
}
