package dev.cgan.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cgan.nn.Philox;
import dev.cgan.testkit.Accelerators;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Capturing operators, and launching them in between others. */
class GraphTest {
    static List<String> devices() {
        return Accelerators.names();
    }

    @Test
    void theCpuCapturesNothing() {
        try (Device device = Device.open("cpu?threads=1")) {
            assertThat(device.canCapture()).isFalse();
            assertThatThrownBy(() -> device.capture(() -> {}))
                    .isInstanceOf(NotCapturableException.class)
                    .hasMessage("graph_begin: this device runs each call at once and records none; use cuda or sim");
            assertThat(device.scalar(2, DType.F32).item()).isEqualTo(2);
        }
    }

    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("devices")
    void launchesReadWhatTensorsHoldThen(String name) {
        try (Device device = Device.open(name)) {
            assertThat(device.canCapture()).isTrue();
            Tensor step = device.longs(new long[] {0});
            Tensor x = device.floats(new float[] {1, 2, 3});
            Tensor[] results = new Tensor[1];
            Graph graph = device.capture(() -> {
                try (TensorScope scope = device.scope("captured")) {
                    Tensor drawn = new Philox(device, 3).at(step).normal("z", 0, 1, 3);
                    results[0] = scope.keep(x.times(2).plus(drawn));
                }
            });
            for (long number = 1; number <= 3; number++) {
                step.copyFrom(new long[] {number});
                x.copyFrom(new float[] {number, 0, -number});
                graph.launch();
                Tensor drawn = new Philox(device, 3).at(number).normal("z", 0, 1, 3);
                assertThat(results[0].toFloats())
                        .isEqualTo(x.times(2).plus(drawn).toFloats());
            }
            graph.close();
            graph.close();
            assertThatThrownBy(graph::launch).hasMessage("the graph is closed");
        }
    }

    /** Long-lived tensors that are made after a capture must not get memory that a launch overwrites. */
    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("devices")
    void nothingElseGetsTheMemoryOfAGraph(String name) {
        try (Device device = Device.open(name)) {
            Tensor x = device.full(1, DType.F32, Shape.of(1000));
            Tensor sum = device.zeros(DType.F32, Shape.scalar());
            long before = device.memory().nativeLiveBytes();
            Graph graph = device.capture(() -> {
                try (TensorScope _ = device.scope("captured")) {
                    sum.copyFrom(x.times(3).plus(1).times(5).sum());
                }
            });
            try (TensorScope _ = device.scope("others")) {
                Tensor[] others = new Tensor[10];
                for (int i = 0; i < others.length; i++) {
                    others[i] = device.full(i, DType.F32, Shape.of(1000));
                }
                graph.launch();
                assertThat(sum.item()).isEqualTo(20_000);
                for (int i = 0; i < others.length; i++) {
                    assertThat(others[i].mean().item()).isEqualTo(i);
                }
            }
            device.trim();
            graph.launch();
            device.synchronize();
            graph.close();
            device.trim();
            assertThat(device.memory().nativeLiveBytes()).isEqualTo(before);
            assertThat(device.memory().nativeWorkspaceBytes()).isZero();
        }
    }

    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("devices")
    void readingOnTheHostIsRefusedWithItsReason(String name) {
        try (Device device = Device.open(name)) {
            Tensor x = device.floats(new float[] {1, 2, 3});
            long before = device.memory().nativeLiveBytes();
            assertThatThrownBy(() -> device.capture(() -> {
                        try (TensorScope _ = device.scope("captured")) {
                            x.copyFrom(x.times(2));
                            x.sum().item();
                        }
                    }))
                    .isInstanceOf(NotCapturableException.class)
                    .hasMessageStartingWith("buffer_read: this cannot be recorded");
            assertThat(x.toFloats()).containsExactly(1, 2, 3);
            device.trim();
            assertThat(device.memory().nativeLiveBytes()).isEqualTo(before);
            assertThatThrownBy(() -> device.capture(() -> {
                        throw new IllegalStateException("the body's own");
                    }))
                    .hasMessage("the body's own");
            assertThat(x.times(2).toFloats()).containsExactly(2, 4, 6);
        }
    }

    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("devices")
    void aGraphWhoseTensorsAreGoneIsNotLaunched(String name) {
        try (Device device = Device.open(name)) {
            Tensor x = device.full(1, DType.F32, Shape.of(10));
            try (Graph graph = device.capture(() -> x.copyFrom(device.full(2, DType.F32, Shape.of(10))))) {
                x.release();
                device.trim();
                assertThatThrownBy(graph::launch)
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContaining("which the graph uses, was destroyed");
            }
        }
    }
}
