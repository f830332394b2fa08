package dev.cgan.train;

import dev.cgan.io.ConfigException;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A device's name and its options, as in {@code cuda:0?kernels=vendor&memory=1000000}.
 *
 * @param device the name alone
 * @param options each {@code key=value}
 */
record DeviceName(String device, List<String> options) {
    static DeviceName of(String text) {
        int query = text.indexOf('?');
        return query < 0
                ? new DeviceName(text, List.of())
                : new DeviceName(
                        text.substring(0, query),
                        List.of(text.substring(query + 1).split("&", -1)));
    }

    /** {@return the value of an option; the last, if it is given twice} */
    Optional<String> option(String key) {
        return options.stream()
                .filter(option -> option.startsWith(key + "="))
                .reduce((first, second) -> second)
                .map(option -> option.substring(key.length() + 1));
    }

    /** {@return the same device without an option} */
    DeviceName without(String key) {
        return new DeviceName(
                device,
                options.stream().filter(option -> !option.startsWith(key + "=")).toList());
    }

    /** {@return the same device with an option, which its own must not contradict} */
    DeviceName with(String key, String value) {
        option(key).ifPresent(own -> {
            if (!own.equals(value)) {
                throw new ConfigException(
                        key + " is " + value + ", but device '" + this + "' says " + own + "; say it once");
            }
        });
        return option(key).isPresent()
                ? this
                : new DeviceName(
                        device,
                        Stream.concat(options.stream(), Stream.of(key + "=" + value))
                                .toList());
    }

    @Override
    public String toString() {
        return options.isEmpty() ? device : device + "?" + String.join("&", options);
    }
}
