package dev.cgan.autograd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cgan.nn.Activation;
import dev.cgan.nn.Functional;
import dev.cgan.tensor.DType;
import dev.cgan.tensor.Device;
import dev.cgan.tensor.Shape;
import dev.cgan.tensor.Tensor;
import dev.cgan.tensor.TensorScope;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class AutogradTest {
    private Device device;

    @BeforeEach
    void open() {
        device = Device.open("cpu?threads=1");
    }

    @AfterEach
    void close() {
        device.close();
    }

    private Tensor leaf(double... values) {
        return device.doubles(values).requiresGrad();
    }

    @Test
    void gradientsAreReturnedInOrderAndNothingElseHappens() {
        Tensor a = leaf(1, 2);
        Tensor b = leaf(3, 4);
        Tensor loss = a.times(b).sum();
        long tensors = device.memory().liveTensors();
        List<Tensor> gradients = Autograd.gradients(loss, List.of(b, a, b));
        assertThat(gradients.get(0).toDoubles()).containsExactly(1, 2);
        assertThat(gradients.get(1).toDoubles()).containsExactly(3, 4);
        assertThat(gradients.get(2)).isSameAs(gradients.get(0));
        assertThat(device.memory().liveTensors()).isEqualTo(tensors + 2);
        assertThat(Autograd.gradients(loss, List.of(a)).getFirst().toDoubles()).containsExactly(3, 4);
    }

    @Test
    void pathsAddUp() {
        Tensor x = leaf(3);
        Tensor y = x.square();
        Tensor loss = y.times(x).plus(y).plus(x).sum();
        assertThat(Autograd.gradients(loss, List.of(x)).getFirst().toDoubles()).containsExactly(27 + 6 + 1);
    }

    @Test
    void resultsInBetweenHaveGradientsToo() {
        Tensor x = leaf(1, 2);
        Tensor between = x.times(3);
        Tensor loss = between.square().sum();
        List<Tensor> gradients = Autograd.gradients(loss, List.of(between, x, loss));
        assertThat(gradients.get(0).toDoubles()).containsExactly(6, 12);
        assertThat(gradients.get(1).toDoubles()).containsExactly(18, 36);
        assertThat(gradients.get(2).toDoubles()).containsExactly(1);
    }

    @Test
    void whatTheLossDoesNotReachHasZeros() {
        Tensor x = leaf(1, 2);
        Tensor other = leaf(5, 6, 7);
        List<Tensor> gradients = Autograd.gradients(x.sum(), List.of(other, x));
        assertThat(gradients.get(0).toDoubles()).containsExactly(0, 0, 0);
        assertThat(gradients.get(1).toDoubles()).containsExactly(1, 1);
        assertThat(Autograd.gradients(device.scalar(1, DType.F64), List.of(other))
                        .getFirst()
                        .toDoubles())
                .containsExactly(0, 0, 0);
    }

    @Test
    void aFrozenNetworkCostsNoWeightGradients() {
        Tensor x = device.full(0.5, DType.F32, Shape.of(2, 4)).requiresGrad();
        Tensor first = device.full(0.1, DType.F32, Shape.of(4, 4)).requiresGrad();
        Tensor second = device.full(0.2, DType.F32, Shape.of(1, 4)).requiresGrad();
        Tensor hidden = Functional.dense(x, first, null, Activation.tanh());
        Tensor loss = Functional.dense(hidden, second, null, Activation.none()).sum();
        long before = device.memory().calls();
        Autograd.gradients(loss, List.of(x));
        long frozen = device.memory().calls() - before;
        Autograd.gradients(loss, List.of(x, first, second));
        long all = device.memory().calls() - before - frozen;
        assertThat(all - frozen).isEqualTo(2); // one product for each weight
        before = device.memory().calls();
        Autograd.gradients(loss, List.of(second));
        assertThat(device.memory().calls() - before).isLessThan(frozen);
    }

    @Test
    void whatIsComputedOnTheWayIsFreed() {
        try (TensorScope _ = device.scope("model")) {
            Tensor weight = device.full(0.1, DType.F32, Shape.of(64, 64)).requiresGrad();
            Tensor x = device.full(0.5, DType.F32, Shape.of(64, 64));
            for (int i = 0; i < 10; i++) {
                x = Functional.dense(x, weight, null, Activation.tanh());
            }
            Tensor loss = x.sum();
            device.resetPeak();
            long before = device.memory().liveBytes();
            Autograd.gradients(loss, List.of(weight));
            long block = 64 * 64 * 4;
            assertThat(device.memory().liveBytes() - before).isEqualTo(block);
            // At most: gradient of the result, in front of the activation, of the input, of the weight, and its sum.
            assertThat(device.memory().peakBytes() - before).isLessThanOrEqualTo(5 * block + 1024);
        }
    }

    @Test
    void gradientsOfGradients() {
        Tensor x = leaf(2);
        Tensor cube = x.times(x).times(x).sum();
        Tensor first = Autograd.gradients(cube, List.of(x), true).getFirst();
        Tensor second = Autograd.gradients(first.sum(), List.of(x), true).getFirst();
        Tensor third = Autograd.gradients(second.sum(), List.of(x)).getFirst();
        assertThat(first.toDoubles()).containsExactly(12);
        assertThat(second.toDoubles()).containsExactly(12);
        assertThat(third.toDoubles()).containsExactly(6);
        assertThat(third.isDifferentiable()).isFalse();
    }

    @Test
    void resultsMayBeChangedInPlaceOneByOne() {
        Tensor a = leaf(1, 2);
        Tensor b = leaf(3, 4);
        List<Tensor> gradients = Autograd.gradients(a.plus(b).sum(), List.of(a, b));
        gradients.get(0).copyFrom(new double[] {9, 9});
        assertThat(gradients.get(1).toDoubles()).containsExactly(1, 1);
    }

    @Test
    void withoutRecordingNothingIsDifferentiable() {
        Tensor x = leaf(1);
        assertThat(Autograd.noGrad(() -> x.times(2)).isDifferentiable()).isFalse();
        NoGrad outer = new NoGrad();
        try (NoGrad _ = new NoGrad()) {
            assertThat(x.times(2).isDifferentiable()).isFalse();
        }
        assertThat(x.times(2).isDifferentiable()).isFalse();
        outer.close();
        outer.close();
        assertThat(x.times(2).isDifferentiable()).isTrue();
        assertThatThrownBy(() -> Autograd.noGrad(() -> {
                    throw new IllegalArgumentException("inside");
                }))
                .hasMessage("inside");
        assertThat(x.times(2).isDifferentiable()).isTrue();
        assertThat(x.times(2).detach().isDifferentiable()).isFalse();
    }

    @Test
    void theSameBitsEachTime() {
        Tensor x = device.floats(new float[] {0.1f, -0.7f, 1.3f, 0.25f}, 2, 2).requiresGrad();
        Tensor y = x.tanh().plus(x.sigmoid()).plus(x.exp()).plus(x.times(x.softplus()));
        byte[] first = Autograd.gradients(y.sum(), List.of(x)).getFirst().toBytes();
        assertThat(Autograd.gradients(y.sum(), List.of(x)).getFirst().toBytes()).isEqualTo(first);
    }

    @Test
    void changedOrClosedInputsAreRefused() {
        Tensor x = leaf(1, 2);
        Tensor w = leaf(3, 4);
        Tensor loss = x.times(w).sum();
        w.copyFrom(new double[] {5, 6});
        assertThatThrownBy(() -> Autograd.gradients(loss, List.of(x)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("was changed in place after times used it");

        Tensor again = x.times(w).sum();
        x.exchange(leaf(7, 8));
        assertThatThrownBy(() -> Autograd.gradients(again, List.of(w)))
                .hasMessageContaining("was changed in place after times used it");

        Tensor third = x.times(w).sum();
        w.release();
        assertThatThrownBy(() -> Autograd.gradients(third, List.of(x)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("is closed");
    }

    @Test
    void badRequestsAreNamed() {
        Tensor x = leaf(1, 2);
        assertThatThrownBy(() -> Autograd.gradients(x.times(2), List.of(x)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("gradients need a loss of one floating-point element, not Tensor#")
                .hasMessageContaining("reduce it by sum() or mean()");
        assertThatThrownBy(() -> Autograd.gradients(x.sum(), List.of(device.scalar(1, DType.F64))))
                .hasMessageContaining("is not differentiable: mark it by requiresGrad()");
        assertThatThrownBy(() -> device.ints(new int[] {1}).requiresGrad()).hasMessageContaining("has no gradient");
        assertThatThrownBy(() -> x.times(2).requiresGrad())
                .hasMessageContaining("is the result of affine; detach() it first");
    }
}
