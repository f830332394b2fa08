package dev.cgan.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIndexOutOfBoundsException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class TensorTest {
    private Device device;

    @BeforeEach
    void open() {
        device = Device.open("cpu?threads=1");
    }

    @AfterEach
    void close() {
        device.close();
    }

    @Test
    void arithmeticBroadcasts() {
        Tensor a = device.floats(new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
        Tensor row = device.floats(new float[] {10, 20, 30});
        Tensor column = device.floats(new float[] {1, 2}, 2, 1);

        assertThat(a.plus(row).toFloats()).containsExactly(11, 22, 33, 14, 25, 36);
        assertThat(a.minus(column).toFloats()).containsExactly(0, 1, 2, 2, 3, 4);
        assertThat(row.times(column).shape()).isEqualTo(Shape.of(2, 3));
        assertThat(row.dividedBy(column).toFloats()).containsExactly(10, 20, 30, 5, 10, 15);
        assertThat(a.times(2).plus(1).minus(3).dividedBy(2).negate().toFloats()).containsExactly(0, -1, -2, -3, -4, -5);
        assertThatThrownBy(() -> a.plus(device.floats(new float[] {1, 2})))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("[2,3] and [2] do not broadcast");
    }

    @Test
    void functionsOfOneElement() {
        Tensor x = device.doubles(new double[] {-2, -0.5, 0, 0.25, 3});
        assertThat(x.square().toDoubles()).containsExactly(4, 0.25, 0, 0.0625, 9);
        assertThat(x.abs().toDoubles()).containsExactly(2, 0.5, 0, 0.25, 3);
        assertThat(x.abs().sqrt().toDoubles()[3]).isEqualTo(0.5);
        assertThat(x.exp().log().toDoubles()[4]).isCloseTo(3, within(1e-14));
        assertThat(x.clamp(-1, 1).toDoubles()).containsExactly(-1, -0.5, 0, 0.25, 1);
        assertThat(x.relu().toDoubles()).containsExactly(0, 0, 0, 0.25, 3);
        assertThat(x.leakyRelu(0.5).toDoubles()).containsExactly(-1, -0.25, 0, 0.25, 3);
        assertThatThrownBy(() -> x.leakyRelu(-1)).hasMessageContaining("must not be negative, but is -1.0");
        assertThatThrownBy(() -> x.clamp(1, 0)).hasMessage("clamp: low 1.0 is above high 0.0");
    }

    @Test
    void reductionsKeepOrDropAxes() {
        Tensor a = device.floats(new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
        assertThat(a.sum().item()).isEqualTo(21);
        assertThat(a.sum().shape()).isEqualTo(Shape.scalar());
        assertThat(a.sum(0).toFloats()).containsExactly(5, 7, 9);
        assertThat(a.sum(-1).toFloats()).containsExactly(6, 15);
        assertThat(a.meanKeepDims(1).shape()).isEqualTo(Shape.of(2, 1));
        assertThat(a.mean(1).toFloats()).containsExactly(2, 5);
        assertThat(a.argmax().toInts()).containsExactly(2, 2);
        assertThatThrownBy(() -> a.sum(2)).hasMessage("axis 2 is outside shape [2,3]");
        assertThatThrownBy(() -> a.sum(1, -1)).hasMessage("axis -1 of [2,3] is named twice");
    }

    @Test
    void shapesChange() {
        Tensor a = device.ints(new int[] {1, 2, 3, 4, 5, 6}, 2, 3);
        assertThat(a.transpose().toInts()).containsExactly(1, 4, 2, 5, 3, 6);
        assertThat(a.reshape(3, -1).shape()).isEqualTo(Shape.of(3, 2));
        assertThat(a.slice(0, 1, 1).toInts()).containsExactly(4, 5, 6);
        assertThat(a.slice(1, 1, 2).toInts()).containsExactly(2, 3, 5, 6);
        assertThat(a.pad(1, 1, 0).toInts()).containsExactly(0, 1, 2, 3, 0, 4, 5, 6);
        assertThat(Tensor.concat(1, a, a.slice(1, 0, 1)).toInts()).containsExactly(1, 2, 3, 1, 4, 5, 6, 4);
        assertThat(a.reshape(6, 1).permute(1, 0).shape()).isEqualTo(Shape.of(1, 6));
        assertThatThrownBy(() -> a.reshape(4, -1))
                .hasMessageContaining("with 6 elements cannot be reshaped to [4, -1]");
        assertThatThrownBy(() -> a.slice(0, 1, 2)).hasMessageContaining("elements 1 .. 2 of axis 0 are outside");
        assertThatThrownBy(() -> a.permute(0, 0)).hasMessageContaining("does not name each axis");
        assertThatThrownBy(() -> Tensor.concat(0, a, a.transpose())).hasMessageContaining("differ in more than axis 0");
    }

    @Test
    void matricesMultiply() {
        Tensor a = device.floats(new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
        Tensor b = device.floats(new float[] {1, 0, 0, 1, 1, 1}, 3, 2);
        assertThat(a.matmul(b).toFloats()).containsExactly(4, 5, 10, 11);
        assertThat(a.matmul(a, false, true).toFloats()).containsExactly(14, 32, 32, 77);
        assertThat(a.matmul(a, true, false).shape()).isEqualTo(Shape.of(3, 3));
        assertThatThrownBy(() -> a.matmul(a)).hasMessageContaining("equal inner dimensions");
    }

    @Test
    void typesConvert() {
        Tensor pixels = device.bytes(new byte[] {0, (byte) 255, 127}, 3);
        assertThat(pixels.convert(DType.F32, 1 / 127.5, -1).toFloats()).startsWith(-1, 1);
        assertThat(device.floats(new float[] {-1.5f, 2.9f, 1e20f}).toInts()).containsExactly(-1, 2, Integer.MAX_VALUE);
        assertThat(device.longs(new long[] {1L << 40}).toLongs()).containsExactly(1L << 40);
        assertThat(pixels.toBytes()).containsExactly(0, 255, 127);
        assertThat(device.scalar(2.5, DType.F64).item()).isEqualTo(2.5f);
        assertThatThrownBy(pixels::item).hasMessageContaining("has 3 elements; item() needs exactly one");
    }

    @Test
    void valuesMoveInPlace() {
        Tensor a = device.floats(new float[] {1, 2});
        Tensor b = device.floats(new float[] {3, 4});
        a.exchange(b);
        assertThat(a.toFloats()).containsExactly(3, 4);
        assertThat(a.copyFrom(b).toFloats()).containsExactly(1, 2);
        assertThat(a.copyFrom(device.ints(new int[] {7, 8})).toFloats()).containsExactly(7, 8);
        byte[] bits = a.toBytes();
        byte[] part = new byte[4];
        a.readBytes(4, MemorySegment.ofArray(part));
        assertThat(part).containsExactly(Arrays.copyOfRange(bits, 4, 8));
        assertThat(a.copy().writeBytes(0, MemorySegment.ofArray(part)).toFloats())
                .containsExactly(8, 8);
        assertThatIndexOutOfBoundsException().isThrownBy(() -> a.readBytes(5, MemorySegment.ofArray(part)));
        assertThatIndexOutOfBoundsException().isThrownBy(() -> a.writeBytes(-1, MemorySegment.ofArray(part)));
        assertThat(b.copyFrom(bits).toFloats()).containsExactly(7, 8);
        assertThatThrownBy(() -> a.copyFrom(new float[3])).hasMessageContaining("cannot take 3 values of type f32");
        assertThatThrownBy(() -> a.copyFrom(new double[2])).hasMessageContaining("it holds 2 of f32");
    }

    @Test
    void emptyTensorsAreLegal() {
        Tensor none = device.floats(new float[0], 0, 3);
        assertThat(none.plus(1).toFloats()).isEmpty();
        assertThat(none.sum().item()).isZero();
        assertThat(none.mean(0).toFloats()).containsExactly(0, 0, 0);
        assertThat(none.matmul(device.zeros(DType.F32, Shape.of(3, 2))).shape()).isEqualTo(Shape.of(0, 2));
        assertThat(Tensor.concat(0, none, device.zeros(DType.F32, Shape.of(1, 3)))
                        .shape())
                .isEqualTo(Shape.of(1, 3));
    }

    @Test
    void wrongShapesAreNamed() {
        assertThatThrownBy(() -> device.floats(new float[3], 2, 2))
                .hasMessage("shape [2,2] has 4 elements, but 3 values were given");
        assertThatThrownBy(() -> Shape.of(1, -1)).hasMessage("shape [1, -1] has a negative dimension");
        assertThatThrownBy(() -> Shape.of(Long.MAX_VALUE, 2)).hasMessageContaining("more than 2^63 - 1 elements");
        assertThatThrownBy(() -> Shape.of(1, 1, 1, 1, 1, 1, 1, 1, 1)).hasMessageContaining("has rank 9; at most 8");
    }
}
