package dev.cgan.bindings;

/** Types of tensor elements, {@code cgan_dtype}. */
public enum DType {
    F32(0, 4),
    F64(1, 8),
    I32(2, 4),
    I64(3, 8),
    U8(4, 1);

    private final int code;
    private final int bytes;

    DType(int code, int bytes) {
        this.code = code;
        this.bytes = bytes;
    }

    /** {@return the number in {@code cgan.h}} */
    public int code() {
        return code;
    }

    /** {@return the size of one element} */
    public int bytes() {
        return bytes;
    }

    /** {@return whether this is a floating type} */
    public boolean floating() {
        return this == F32 || this == F64;
    }
}
