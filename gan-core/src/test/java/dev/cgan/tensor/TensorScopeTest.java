package dev.cgan.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class TensorScopeTest {
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
    void closingFreesTheTensors() {
        Tensor outside = device.scalar(1, DType.F32);
        Tensor inside;
        TensorScope scope = device.scope("d-step");
        inside = device.zeros(DType.F32, Shape.of(16, 64, 32, 32));
        assertThat(scope.tensors()).isEqualTo(1);
        scope.close();
        scope.close();
        assertThat(scope.isOpen()).isFalse();
        assertThat(outside.item()).isEqualTo(1);
        assertThat(inside.isClosed()).isTrue();
        assertThatIllegalStateException()
                .isThrownBy(inside::toFloats)
                .withMessage("Tensor#2 f32[16,64,32,32] scope=d-step is closed")
                .withNoCause();
        assertThatIllegalStateException().isThrownBy(() -> outside.plus(inside)).withMessageContaining("Tensor#2 ");
        assertThatIllegalStateException().isThrownBy(inside::detach).withMessageContaining("is closed");
        assertThatIllegalStateException()
                .isThrownBy(() -> scope.keep(outside))
                .withMessageContaining("d-step is closed");
    }

    @Test
    void keepMovesOneScopeOut() {
        Tensor kept;
        Tensor fromFurtherIn;
        try (TensorScope outer = device.scope("outer")) {
            Tensor own;
            try (TensorScope inner = device.scope("inner")) {
                own = outer.keep(device.scalar(0, DType.F32)); // from inner to the scope around outer
                kept = inner.keep(device.scalar(1, DType.F32));
                assertThat(inner.keep(kept)).isSameAs(kept);
                try (TensorScope _ = device.scope("innermost")) {
                    fromFurtherIn = inner.keep(device.scalar(2, DType.F32));
                }
            }
            assertThat(kept.item()).isEqualTo(1);
            assertThat(fromFurtherIn.item()).isEqualTo(2);
            assertThat(own.item()).isZero();
            assertThat(kept.toString()).isEqualTo("Tensor#2 f32[] scope=outer");
            assertThat(own.toString()).endsWith("scope=device");
        }
        assertThat(kept.isClosed()).isTrue();
        assertThat(device.memory().liveTensors()).isEqualTo(1);
    }

    @Test
    void scopesCloseInReverseOrder() {
        TensorScope outer = device.scope("epoch");
        TensorScope inner = device.scope("g-step");
        assertThatIllegalStateException()
                .isThrownBy(outer::close)
                .withMessageContaining("scope epoch cannot close before scope g-step, which was opened after it");
        inner.close();
        outer.close();
    }

    @Test
    void closingTheDeviceClosesItsScopes() {
        TensorScope outer = device.scope("outer");
        TensorScope inner = device.scope("inner");
        Tensor tensor = device.scalar(1, DType.F32);
        device.close();
        device.close();
        assertThat(inner.isOpen() || outer.isOpen()).isFalse();
        assertThat(tensor.isClosed()).isTrue();
        inner.close();
        outer.close();
        assertThatIllegalStateException()
                .isThrownBy(() -> device.scalar(1, DType.F32))
                .withMessage("device cpu?threads=1 is closed");
        assertThatIllegalStateException().isThrownBy(() -> device.scope("late"));
        assertThatIllegalStateException().isThrownBy(tensor::item).withMessageContaining("is closed");
    }

    @Test
    void theReportIsATree() {
        device.floats(new float[500]);
        try (TensorScope _ = device.scope("epoch")) {
            try (TensorScope _ = device.scope("step")) {
                device.zeros(DType.F64, Shape.of(3, 3));
                assertThat(device.report().lines())
                        .satisfiesExactly(
                                line -> assertThat(line).contains("cpu?threads=1: 2,304 bytes live, 0 cached"),
                                line -> assertThat(line).startsWith("  device: 1 tensors, 2,000 bytes"),
                                line -> assertThat(line).isEqualTo("    Tensor#1 f32[500] scope=device 2,000 bytes"),
                                line -> assertThat(line).startsWith("    epoch: 0 tensors, 0 bytes"),
                                line -> assertThat(line).startsWith("      step: 1 tensors, 72 bytes"),
                                line -> assertThat(line).isEqualTo("        Tensor#2 f64[3,3] scope=step 72 bytes"));
            }
        }
    }

    @Test
    void closingIsTrackedOnRequest() {
        System.setProperty("cgan.track", "true");
        try (Device tracked = Device.open("cpu?threads=1")) {
            Tensor tensor = tracked.scalar(1, DType.F32);
            tensor.release();
            assertThatThrownBy(tensor::item)
                    .isInstanceOf(IllegalStateException.class)
                    .cause()
                    .hasMessage("closed here")
                    .satisfies(cause -> assertThat(cause.getStackTrace())
                            .anyMatch(frame -> frame.getMethodName().equals("closingIsTrackedOnRequest")));
        } finally {
            System.clearProperty("cgan.track");
        }
    }

    @Test
    void tensorsOfTwoDevicesDoNotMix() {
        try (Device other = Device.open("cpu?threads=1")) {
            Tensor here = device.floats(new float[] {1}, 1, 1);
            Tensor there = other.floats(new float[] {1}, 1, 1);
            assertThatThrownBy(() -> here.matmul(there)).hasMessageContaining("is on another device than");
            assertThatThrownBy(() -> here.plus(there)).hasMessageContaining("is on another device than");
            assertThatThrownBy(() -> here.exchange(there)).hasMessageContaining("differ in device, type or shape");
            try (TensorScope scope = device.scope("here")) {
                assertThatThrownBy(() -> scope.keep(there))
                        .hasMessageContaining("is on another device than scope here");
            }
        }
    }

    @Test
    void twoThreadsAtOnceAreNoticed() throws InterruptedException {
        AtomicBoolean noticed = new AtomicBoolean();
        AtomicReference<RuntimeException> failure = new AtomicReference<>();
        Thread other = new Thread(() -> hammer(noticed, failure), "other");
        long deadline = System.nanoTime() + 60_000_000_000L;
        other.start();
        while (!noticed.get() && System.nanoTime() < deadline) {
            hammerOnce(noticed, failure);
        }
        noticed.set(true);
        other.join();
        assertThat(failure.get())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("is in use by thread")
                .hasMessageContaining("must wait for it");
    }

    private void hammer(AtomicBoolean noticed, AtomicReference<RuntimeException> failure) {
        while (!noticed.get()) {
            hammerOnce(noticed, failure);
        }
    }

    private void hammerOnce(AtomicBoolean noticed, AtomicReference<RuntimeException> failure) {
        try {
            device.synchronize();
        } catch (IllegalStateException e) {
            failure.set(e);
            noticed.set(true);
        }
    }
}
