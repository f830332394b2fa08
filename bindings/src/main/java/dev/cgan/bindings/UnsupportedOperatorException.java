package dev.cgan.bindings;

/** This backend lacks the operator, type or shape; another may have it. */
public final class UnsupportedOperatorException extends NativeCallException {
    private static final long serialVersionUID = 1L;

    UnsupportedOperatorException(int code, String text) {
        super(code, text);
    }
}
