package dev.cgan.tensor;

/**
 * The device has no memory left, even after the pool gave back what it had cached. The message ends with the tree of
 * scopes and their largest tensors. Tensors made before are intact.
 */
public final class DeviceOutOfMemoryException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    DeviceOutOfMemoryException(String message, Throwable cause) {
        super(message, cause);
    }
}
