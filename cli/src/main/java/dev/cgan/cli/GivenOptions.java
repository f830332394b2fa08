package dev.cgan.cli;

import java.util.Map;

/** What a command line says, by the keys of {@link dev.cgan.train.TrainConfig#of}: options left out are not in it. */
final class GivenOptions {
    private GivenOptions() {}

    /** Adds an option unless its value is null. */
    static void put(Map<String, Object> given, String key, Object value) {
        if (value != null) {
            given.put(key, value);
        }
    }
}
