package dev.cgan.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cgan.testkit.Seeds;
import java.util.Random;
import org.junit.jupiter.api.Test;

class MemoryPoolTest {
    @Test
    void classesHoldWhatTheyShouldAndWasteAnEighthAtMost() {
        Random random = Seeds.random("size classes");
        for (int i = 0; i < 20_000; i++) {
            long bytes = i < 10_000 ? i : random.nextLong(1L << (10 + random.nextInt(50)));
            int sizeClass = MemoryPool.sizeClass(bytes);
            long size = MemoryPool.bytesOf(sizeClass);
            assertThat(size).isGreaterThanOrEqualTo(Math.max(1, bytes));
            assertThat(size % 256).isZero();
            assertThat(size - bytes).isLessThanOrEqualTo(256 + bytes / 8);
            assertThat(sizeClass == 0 || MemoryPool.bytesOf(sizeClass - 1) < bytes)
                    .isTrue();
        }
    }

    @Test
    void blocksAreReusedAndCounted() {
        try (Device device = Device.open("cpu?threads=1")) {
            for (int i = 0; i < 3; i++) {
                try (TensorScope _ = device.scope("step")) {
                    device.zeros(DType.F32, Shape.of(1000));
                    device.zeros(DType.F32, Shape.of(10));
                    MemoryReport report = device.memory();
                    assertThat(report.liveBytes()).isEqualTo(4096 + 256);
                    assertThat(report.liveTensors()).isEqualTo(2);
                    assertThat(report.allocations()).isEqualTo(2);
                    assertThat(report.cachedBytes()).isZero();
                }
            }
            assertThat(device.memory().liveBytes()).isZero();
            assertThat(device.memory().cachedBytes()).isEqualTo(4096 + 256);
            assertThat(device.memory().peakBytes()).isEqualTo(4096 + 256);
            assertThat(device.memory().nativeLiveBytes()).isEqualTo(4096 + 256);
            device.trim();
            device.resetPeak();
            assertThat(device.memory().cachedBytes()).isZero();
            assertThat(device.memory().peakBytes()).isZero();
            assertThat(device.memory().nativeLiveBytes()).isZero();
        }
    }

    @Test
    void theSmallestBlockThatFitsIsTaken() {
        try (Device device = Device.open("cpu?threads=1")) {
            try (TensorScope _ = device.scope("first")) {
                device.zeros(DType.U8, Shape.of(1500));
                device.zeros(DType.U8, Shape.of(1300));
                device.zeros(DType.U8, Shape.of(9000));
            }
            try (TensorScope _ = device.scope("second")) {
                device.zeros(DType.U8, Shape.of(1100));
                assertThat(device.memory().liveBytes()).isEqualTo(1536);
                device.zeros(DType.U8, Shape.of(100));
                assertThat(device.memory().liveBytes()).isEqualTo(1536 + 256); // not one of the large ones
            }
        }
    }

    @Test
    void viewsKeepTheirBlock() {
        try (Device device = Device.open("cpu?threads=1")) {
            Tensor whole = device.floats(new float[] {1, 2, 3, 4}, 2, 2);
            Tensor row = whole.slice(0, 1, 1);
            Tensor alias = whole.detach();
            assertThat(whole.isSoleView()).isFalse();
            whole.release();
            alias.release();
            assertThat(row.isSoleView()).isTrue();
            assertThat(row.toFloats()).containsExactly(3, 4);
            assertThat(device.memory().liveBytes()).isEqualTo(256);
            row.release();
            row.release();
            assertThat(device.memory().liveBytes()).isZero();
        }
    }

    @Test
    void cachedBlocksAreGivenBackWhenMemoryRunsOut() {
        try (Device device = Device.open("cpu?threads=1&memory=40000")) {
            try (TensorScope _ = device.scope("small")) {
                for (int i = 0; i < 20; i++) {
                    device.empty(DType.U8, Shape.of(1000));
                }
            }
            assertThat(device.memory().cachedBytes()).isEqualTo(20 * 1024);
            device.zeros(DType.U8, Shape.of(30_000));
            assertThat(device.memory().cachedBytes()).isZero();
            assertThat(device.memory().liveBytes()).isEqualTo(30_720);
        }
    }

    @Test
    void exhaustionIsReportedWithTheScopes() {
        try (Device device = Device.open("cpu?threads=1&memory=40000")) {
            try (TensorScope _ = device.scope("epoch")) {
                device.zeros(DType.F32, Shape.of(20, 100));
                try (TensorScope _ = device.scope("step")) {
                    assertThatThrownBy(() -> device.zeros(DType.F32, Shape.of(10_000)))
                            .isInstanceOf(DeviceOutOfMemoryException.class)
                            .hasMessageContaining("no device memory for f32[10000]")
                            .hasMessageContaining("device: 0 tensors")
                            .hasMessageContaining("epoch: 1 tensors, 8,000 bytes")
                            .hasMessageContaining("Tensor#1 f32[20,100] scope=epoch 8,000 bytes")
                            .hasMessageContaining("step: 0 tensors");
                }
                device.zeros(DType.F32, Shape.of(20, 100)); // goes on working
            }
            assertThat(device.memory().liveBytes()).isZero();
        }
    }
}
