package dev.cgan.io;

import java.util.Optional;

/**
 * Element types that a safetensors file can name. Those that this project computes with are {@linkplain #isSupported
 * supported}; the others are known so that a file that uses them is refused by name.
 */
public enum DType {
    /** IEEE 754 binary32. */
    F32(32, true),
    /** IEEE 754 binary64. */
    F64(64, true),
    /** Signed 32-bit integer. */
    I32(32, true),
    /** Signed 64-bit integer. */
    I64(64, true),
    /** Unsigned byte. */
    U8(8, true),
    /** Boolean, one byte. */
    BOOL(8, false),
    /** Signed byte. */
    I8(8, false),
    /** Signed 16-bit integer. */
    I16(16, false),
    /** Unsigned 16-bit integer. */
    U16(16, false),
    /** Unsigned 32-bit integer. */
    U32(32, false),
    /** Unsigned 64-bit integer. */
    U64(64, false),
    /** IEEE 754 binary16. */
    F16(16, false),
    /** The upper half of binary32. */
    BF16(16, false),
    /** 8-bit float, 5 exponent bits. */
    F8_E5M2(8, false),
    /** 8-bit float, 4 exponent bits. */
    F8_E4M3(8, false),
    /** 8-bit power of two. */
    F8_E8M0(8, false),
    /** 6-bit float, 2 exponent bits. */
    F6_E2M3(6, false),
    /** 6-bit float, 3 exponent bits. */
    F6_E3M2(6, false),
    /** 4-bit float. */
    F4(4, false),
    /** Complex of two binary32. */
    C64(64, false);

    private final int bits;
    private final boolean supported;

    DType(int bits, boolean supported) {
        this.bits = bits;
        this.supported = supported;
    }

    /** {@return the size of one element in bits} */
    public int bits() {
        return bits;
    }

    /** {@return the size of one element in bytes; only of supported types is it exact} */
    public int bytes() {
        return bits / 8;
    }

    /** {@return whether tensors of this type can be read and written here} */
    public boolean isSupported() {
        return supported;
    }

    /**
     * Finds a type by the name that the format gives it.
     *
     * @param name for example {@code F32}
     * @return the type, empty if the format has none of that name
     */
    public static Optional<DType> of(String name) {
        for (DType type : values()) {
            if (type.name().equals(name)) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }
}
