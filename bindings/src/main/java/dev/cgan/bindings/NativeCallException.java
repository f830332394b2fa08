package dev.cgan.bindings;

/** A call of libcgan failed for a reason other than its arguments (those are {@link IllegalArgumentException}s). */
public abstract sealed class NativeCallException extends RuntimeException
        permits DeviceOutOfMemoryException,
                UnsupportedOperatorException,
                DeviceUnavailableException,
                DeviceLostException,
                GanNativeException {
    private static final long serialVersionUID = 1L;

    private final int code;

    NativeCallException(int code, String text) {
        super(text);
        this.code = code;
    }

    /** {@return the {@code cgan_status}, which may be one that this version does not know} */
    public int code() {
        return code;
    }
}
