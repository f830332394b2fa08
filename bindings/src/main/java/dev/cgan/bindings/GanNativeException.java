package dev.cgan.bindings;

/** A failure without a class of its own: of the device's libraries, on request of a test, or a bug of libcgan. */
public final class GanNativeException extends NativeCallException {
    private static final long serialVersionUID = 1L;

    GanNativeException(int code, String text) {
        super(code, text);
    }
}
