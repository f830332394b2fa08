package dev.cgan.bindings;

/** The device failed for good: every call on its context fails from now on, and its contents are lost. */
public final class DeviceLostException extends NativeCallException {
    private static final long serialVersionUID = 1L;

    DeviceLostException(int code, String text) {
        super(code, text);
    }
}
