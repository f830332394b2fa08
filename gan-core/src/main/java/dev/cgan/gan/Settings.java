package dev.cgan.gan;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What can be changed about a model, with the values in force: an immutable, ordered map from keys such as {@code lr} to
 * numbers, flags or words. Every key has a kind and bounds, so a value that is not sensible never reaches a network.
 */
public final class Settings {
    private final Map<String, Entry> entries;

    private Settings(Map<String, Entry> entries) {
        this.entries = entries;
    }

    /**
     * One setting.
     *
     * @param value a {@code Long}, {@code Double}, {@code Boolean} or {@code String}
     * @param low the smallest value of a number
     * @param high the greatest value of a number
     * @param choices the values of a word
     * @param description what it is, in a few words
     */
    private record Entry(Object value, double low, double high, List<String> choices, String description) {
        Entry with(Object changed) {
            return new Entry(changed, low, high, choices, description);
        }
    }

    /** {@return a builder without settings} */
    public static Builder builder() {
        return new Builder();
    }

    /** Collects settings with their defaults, in the order in which they are shown. */
    public static final class Builder {
        private final Map<String, Entry> entries = new LinkedHashMap<>();

        private Builder() {}

        /**
         * Adds a whole number.
         *
         * @param key its name
         * @param value its default
         * @param low its smallest value
         * @param high its greatest value
         * @param description what it is
         * @return this
         */
        public Builder integer(String key, long value, long low, long high, String description) {
            entries.put(key, new Entry(value, low, high, List.of(), description));
            return this;
        }

        /**
         * Adds a real number.
         *
         * @param key its name
         * @param value its default
         * @param low its smallest value
         * @param high its greatest value
         * @param description what it is
         * @return this
         */
        public Builder real(String key, double value, double low, double high, String description) {
            entries.put(key, new Entry(value, low, high, List.of(), description));
            return this;
        }

        /**
         * Adds a switch.
         *
         * @param key its name
         * @param value its default
         * @param description what it is
         * @return this
         */
        public Builder flag(String key, boolean value, String description) {
            entries.put(key, new Entry(value, 0, 0, List.of("true", "false"), description));
            return this;
        }

        /**
         * Adds a word out of a list.
         *
         * @param key its name
         * @param value its default
         * @param choices all its values
         * @param description what it is
         * @return this
         */
        public Builder choice(String key, String value, List<String> choices, String description) {
            entries.put(key, new Entry(value, 0, 0, List.copyOf(choices), description));
            return this;
        }

        /** {@return the settings} */
        public Settings build() {
            return new Settings(new LinkedHashMap<>(entries));
        }
    }

    /**
     * Changes one setting.
     *
     * @param key its name
     * @param value a value of its kind, or text that says one
     * @return settings with that change
     * @throws IllegalArgumentException naming the key, the value and what is allowed
     */
    public Settings with(String key, Object value) {
        Entry entry = entry(key);
        Map<String, Entry> changed = new LinkedHashMap<>(entries);
        changed.put(key, entry.with(parse(key, entry, value)));
        return new Settings(changed);
    }

    /**
     * Changes several settings.
     *
     * @param values values by name
     * @return settings with these changes
     * @throws IllegalArgumentException as {@link #with}
     */
    public Settings withAll(Map<String, ?> values) {
        Settings settings = this;
        for (var change : values.entrySet()) {
            settings = settings.with(change.getKey(), change.getValue());
        }
        return settings;
    }

    /** {@return the names, in order} */
    public Collection<String> keys() {
        return List.copyOf(entries.keySet());
    }

    /** {@return whether there is a setting of that name} */
    public boolean has(String key) {
        return entries.containsKey(key);
    }

    /** {@return all values by name, in order: {@code Long}, {@code Double}, {@code Boolean} or {@code String}} */
    public Map<String, Object> values() {
        Map<String, Object> values = new LinkedHashMap<>();
        entries.forEach((key, entry) -> values.put(key, entry.value()));
        return values;
    }

    /** {@return what a setting is, in a few words} */
    public String description(String key) {
        return entry(key).description();
    }

    /** {@return a whole number} */
    public int integer(String key) {
        return Math.toIntExact((Long) entry(key).value());
    }

    /** {@return a real number} */
    public double real(String key) {
        return (Double) entry(key).value();
    }

    /** {@return a switch} */
    public boolean flag(String key) {
        return (Boolean) entry(key).value();
    }

    /** {@return a word} */
    public String text(String key) {
        return (String) entry(key).value();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Settings settings && values().equals(settings.values());
    }

    @Override
    public int hashCode() {
        return values().hashCode();
    }

    @Override
    public String toString() {
        return values().toString();
    }

    private Entry entry(String key) {
        Entry entry = entries.get(key);
        if (entry == null) {
            throw new IllegalArgumentException(
                    "unknown setting '" + key + "'; this model has " + String.join(", ", entries.keySet()));
        }
        return entry;
    }

    private static Object parse(String key, Entry entry, Object value) {
        String text = String.valueOf(value).trim();
        try {
            return switch (entry.value()) {
                case Long ignored -> inBounds(key, entry, wholeNumber(text));
                case Double ignored -> inBounds(key, entry, Double.valueOf(text));
                case Boolean ignored -> Boolean.valueOf(chosen(key, entry, text));
                default -> chosen(key, entry, text);
            };
        } catch (NumberFormatException e) {
            String kind = entry.value() instanceof Long ? "a whole number" : "a number";
            throw new IllegalArgumentException(key + " must be " + kind + ", not '" + text + "'", e);
        }
    }

    private static Long wholeNumber(String text) {
        return Long.valueOf(text);
    }

    private static Number inBounds(String key, Entry entry, Number value) {
        if (!(value.doubleValue() >= entry.low() && value.doubleValue() <= entry.high())) {
            String bounds = value instanceof Long
                    ? (long) entry.low() + " to " + (long) entry.high()
                    : entry.low() + " to " + entry.high();
            throw new IllegalArgumentException(key + " must be in " + bounds + ", not " + value);
        }
        return value;
    }

    private static String chosen(String key, Entry entry, String text) {
        if (!entry.choices().contains(text)) {
            throw new IllegalArgumentException(
                    key + " must be one of " + String.join(", ", entry.choices()) + ", not '" + text + "'");
        }
        return text;
    }
}
