package dev.cgan.tensor;

import java.util.Locale;

/** The type of a tensor's elements. */
public enum DType {
    /** IEEE 754 binary32: what networks compute in. */
    F32(4),
    /** IEEE 754 binary64: plain loops on the CPU, for gradient checks. */
    F64(8),
    /** Signed 32-bit integers: labels, indices. */
    I32(4),
    /** Signed 64-bit integers: counters. */
    I64(8),
    /** Unsigned bytes: images as they are stored. */
    U8(1);

    private final int bytes;

    DType(int bytes) {
        this.bytes = bytes;
    }

    /** {@return the size of one element in bytes} */
    public int bytes() {
        return bytes;
    }

    /** {@return whether this is a floating type, the kind that has gradients} */
    public boolean floating() {
        return this == F32 || this == F64;
    }

    /** {@return the name as it stands in messages, such as {@code f32}} */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }

    dev.cgan.bindings.DType binding() {
        return switch (this) {
            case F32 -> dev.cgan.bindings.DType.F32;
            case F64 -> dev.cgan.bindings.DType.F64;
            case I32 -> dev.cgan.bindings.DType.I32;
            case I64 -> dev.cgan.bindings.DType.I64;
            case U8 -> dev.cgan.bindings.DType.U8;
        };
    }
}
