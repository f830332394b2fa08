package dev.cgan.bindings;

import java.lang.foreign.MemorySegment;

/**
 * An operand as the native library needs to know it: a dense row-major view of a buffer. Read during a call and not
 * kept, so an implementation may be reused for another view afterwards.
 */
public interface TensorView {
    /** {@return the type of the elements} */
    DType dtype();

    /** {@return the number of dimensions, 0 to 8} */
    int rank();

    /**
     * {@return the size of a dimension}
     *
     * @param axis 0 .. rank - 1
     */
    long dim(int axis);

    /** {@return the buffer, as {@link NativeCalls#bufferCreate} made it; it must be of the same context} */
    MemorySegment buffer();

    /** {@return where the view begins in its buffer; a multiple of the element's size} */
    long offsetBytes();
}
