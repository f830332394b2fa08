package dev.cgan.image;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cgan.testkit.Seeds;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ResamplerTest {
    @Test
    void constantImagesStayConstant() {
        Random random = Seeds.random("ResamplerTest.constant");
        for (int round = 0; round < 200; round++) {
            int height = 1 + random.nextInt(60);
            int width = 1 + random.nextInt(60);
            int channels = random.nextBoolean() ? 1 : 3;
            byte[] data = new byte[height * width * channels];
            for (int i = 0; i < data.length; i++) {
                data[i] = (byte) (200 + 20 * (i % channels));
            }
            int size = 1 + random.nextInt(60);
            Pixels scaled = Resampler.square(new Pixels(height, width, channels, data), size);
            assertThat(scaled.data()).hasSize(size * size * channels);
            for (int i = 0; i < scaled.data().length; i++) {
                assertThat(scaled.data()[i] & 0xff).isEqualTo(200 + 20 * (i % channels));
            }
        }
    }

    @Test
    void rampsStayRamps() {
        byte[] data = new byte[64 * 64];
        for (int i = 0; i < data.length; i++) {
            data[i] = (byte) (i % 64 * 4);
        }
        Pixels image = new Pixels(64, 64, 1, data);
        for (int size : new int[] {8, 16, 17, 31, 128}) {
            Pixels scaled = Resampler.square(image, size);
            double scale = 64.0 / size;
            for (int x = 0; x < size; x++) {
                double center = (x + 0.5) * scale - 0.5;
                // At the border the filter has no pixels on one side.
                if (center > scale && center < 63 - scale) {
                    int value = scaled.data()[size / 2 * size + x] & 0xff;
                    assertThat(Math.abs(value - 4 * center))
                            .as("size %d, x %d", size, x)
                            .isLessThanOrEqualTo(1.5);
                }
            }
        }
    }

    @Test
    void aCheckerboardReducesToGrey() {
        byte[] data = new byte[64 * 64];
        for (int i = 0; i < data.length; i++) {
            data[i] = (byte) ((i % 64 + i / 64) % 2 == 0 ? 255 : 0);
        }
        Pixels scaled = Resampler.square(new Pixels(64, 64, 1, data), 7);
        for (byte value : scaled.data()) {
            assertThat(value & 0xff).isBetween(120, 135);
        }
    }

    @Test
    void theMiddleIsKept() {
        byte[] data = new byte[10 * 30];
        for (int i = 0; i < data.length; i++) {
            data[i] = (byte) (i % 30 >= 10 && i % 30 < 20 ? 200 : 0);
        }
        Pixels scaled = Resampler.square(new Pixels(10, 30, 1, data), 10);
        for (byte value : scaled.data()) {
            assertThat(value & 0xff).isEqualTo(200);
        }
    }
}
