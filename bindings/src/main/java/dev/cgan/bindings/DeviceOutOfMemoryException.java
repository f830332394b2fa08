package dev.cgan.bindings;

/** Host or device memory is used up; what was allocated before is intact. */
public final class DeviceOutOfMemoryException extends NativeCallException {
    private static final long serialVersionUID = 1L;

    DeviceOutOfMemoryException(int code, String text) {
        super(code, text);
    }
}
