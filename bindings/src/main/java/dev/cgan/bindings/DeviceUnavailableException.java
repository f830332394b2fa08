package dev.cgan.bindings;

/** The device, or the plugin that serves it, is not there. The message says why. */
public final class DeviceUnavailableException extends NativeCallException {
    private static final long serialVersionUID = 1L;

    DeviceUnavailableException(int code, String text) {
        super(code, text);
    }
}
