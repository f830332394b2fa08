package dev.cgan.bindings;

/** What a call of libcgan returned. The numbers come in decades; one that this version does not know survives. */
public sealed interface Status {
    /** {@return the number, a {@code cgan_status}} */
    int code();

    /** 0. */
    record Ok(int code) implements Status {}

    /** 1-19: the caller can fix it. */
    record BadArgument(int code) implements Status {}

    /** 20-39: host or device memory is used up. */
    record OutOfMemory(int code) implements Status {}

    /** 40: this backend lacks the operator, type or shape; another may have it. */
    record Unsupported(int code) implements Status {}

    /** 41, 42: the device, or the plugin that serves it, is not there. */
    record DeviceUnavailable(int code) implements Status {}

    /** 62: the device failed for good; its contents are lost. */
    record DeviceLost(int code) implements Status {}

    /** Everything else: a failure of the device's libraries, an injected fault, a bug. */
    record Other(int code) implements Status {}

    /** {@return the meaning of a code; never throws} */
    static Status of(int code) {
        if (code == 0) {
            return new Ok(code);
        }
        if (code >= 1 && code <= 19) {
            return new BadArgument(code);
        }
        if (code >= 20 && code <= 39) {
            return new OutOfMemory(code);
        }
        return switch (code) {
            case 40 -> new Unsupported(code);
            case 41, 42 -> new DeviceUnavailable(code);
            case 62 -> new DeviceLost(code);
            default -> new Other(code);
        };
    }

    /**
     * {@return the exception that tells a failure to Java code}
     *
     * @param text the library's own words
     */
    default RuntimeException toException(String text) {
        return switch (this) {
            case Ok ok -> throw new IllegalArgumentException("not a failure: " + text);
            case BadArgument s -> new IllegalArgumentException(text);
            case OutOfMemory s -> new DeviceOutOfMemoryException(s.code, text);
            case Unsupported s -> new UnsupportedOperatorException(s.code, text);
            case DeviceUnavailable s -> new DeviceUnavailableException(s.code, text);
            case DeviceLost s -> new DeviceLostException(s.code, text);
            case Other s -> new GanNativeException(s.code, text);
        };
    }
}
