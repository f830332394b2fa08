package dev.cgan.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.cgan.image.Pixels;
import dev.cgan.testkit.Seeds;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class BatchesTest {
    @Test
    void fileOrderIsThatOfTheReferenceExperiment() {
        Batches batches = Batches.inFileOrder(numbered(1000), 64);
        for (int step = 1; step <= 40; step++) {
            int first = step % (1000 / 64 - 1) * 64;
            int[] rows = batches.rows(step);
            for (int i = 0; i < 64; i++) {
                assertThat(rows[i]).isEqualTo(first + i);
            }
        }
        assertThat(batches.rows(14)[0]).isZero();
        assertThat(Batches.inFileOrder(numbered(64), 64).rows(5)[0]).isZero();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Batches.inFileOrder(numbered(63), 64))
                .withMessage("data set numbers has 63 images, fewer than a batch of 64; choose a smaller batch");
    }

    @Test
    void everyEpochUsesEveryImageOnceInAnotherOrder() {
        Random random = Seeds.random("BatchesTest.epochs");
        for (int round = 0; round < 50; round++) {
            int images = 1 + random.nextInt(200);
            int size = 1 + random.nextInt(100);
            Batches batches = Batches.shuffled(numbered(images), size, random.nextLong());
            List<Integer> drawn = new ArrayList<>();
            for (int step = 1; drawn.size() < 3 * images; step++) {
                Arrays.stream(batches.rows(step)).forEach(drawn::add);
            }
            for (int epoch = 0; epoch < 3; epoch++) {
                List<Integer> part = drawn.subList(epoch * images, (epoch + 1) * images);
                assertThat(part).doesNotHaveDuplicates();
            }
            if (images > 20) {
                assertThat(drawn.subList(0, images)).isNotEqualTo(drawn.subList(images, 2 * images));
            }
        }
    }

    @Test
    void aBatchDependsOnSeedAndStepAlone() {
        Random random = Seeds.random("BatchesTest.stateless");
        long seed = random.nextLong();
        Dataset dataset = numbered(150);
        Batches walked = Batches.shuffled(dataset, 64, seed);
        List<int[]> inOrder = new ArrayList<>();
        for (int step = 1; step <= 30; step++) {
            inOrder.add(walked.rows(step));
        }
        Batches jumped = Batches.shuffled(dataset, 64, seed);
        for (int i = 0; i < 100; i++) {
            int step = 1 + random.nextInt(30);
            assertThat(jumped.rows(step)).isEqualTo(inOrder.get(step - 1));
        }
        assertThat(Batches.shuffled(dataset, 64, seed + 1).rows(1)).isNotEqualTo(inOrder.getFirst());
    }

    @Test
    void batchesCarryPixelsAndLabels() {
        Batches batches = Batches.shuffled(numbered(90), 8, 5);
        DataBatch batch = batches.allocate();
        batches.read(3, batch);
        int[] rows = batches.rows(3);
        assertThat(batch.step()).isEqualTo(3);
        assertThat(batch.size()).isEqualTo(8);
        for (int i = 0; i < 8; i++) {
            assertThat(batch.labels()[i]).isEqualTo(rows[i] % 3);
            assertThat(batch.pixels()[2 * i] & 0xff).isEqualTo(rows[i]);
            assertThat(batch.pixels()[2 * i + 1]).isEqualTo((byte) 1);
        }
    }

    @Test
    void nonsenseIsRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Batches.shuffled(numbered(3), 0, 1))
                .withMessage("batch size 0 is not positive");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Batches.shuffled(numbered(3), 1, 1).rows(0))
                .withMessage("step 0 is not positive");
    }

    @Test
    void prefetchedBatchesAreTheSameInTheSameOrder() {
        Batches batches = Batches.shuffled(numbered(100), 7, 9);
        DataBatch expected = batches.allocate();
        try (Prefetcher prefetcher = new Prefetcher(batches, 11)) {
            for (int step = 11; step < 511; step++) {
                DataBatch batch = prefetcher.next();
                batches.read(step, expected);
                assertThat(batch.step()).isEqualTo(step);
                assertThat(batch.pixels()).isEqualTo(expected.pixels());
                assertThat(batch.labels()).isEqualTo(expected.labels());
            }
        }
    }

    @Test
    void aFailureComesOutAtItsStep() {
        Batches batches = Batches.inFileOrder(new Failing(50), 10);
        try (Prefetcher prefetcher = new Prefetcher(batches, 1)) {
            assertThat(prefetcher.next().step()).isEqualTo(1);
            assertThat(prefetcher.next().step()).isEqualTo(2);
            assertThatIllegalStateException().isThrownBy(prefetcher::next).withMessage("row 30 is gone");
            assertThatIllegalStateException()
                    .isThrownBy(prefetcher::next)
                    .withMessage("an earlier batch could not be read");
        }
    }

    @Test
    void closingLeavesNoThread() {
        for (int round = 0; round < 50; round++) {
            Prefetcher prefetcher = new Prefetcher(Batches.shuffled(numbered(100), 7, 9), 1);
            for (int i = 0; i < round % 4; i++) {
                prefetcher.next();
            }
            prefetcher.close();
            prefetcher.close();
            assertThatIllegalStateException().isThrownBy(prefetcher::next).withMessage("the prefetcher is closed");
        }
        assertThat(Thread.getAllStackTraces().keySet())
                .noneMatch(thread -> thread.getName().equals("cgan-prefetch"));
    }

    /** Image i is the pixels (i, 1) with label i mod 3. */
    private static Dataset numbered(int count) {
        List<Pixels> images = new ArrayList<>();
        int[] labels = new int[count];
        for (int i = 0; i < count; i++) {
            images.add(new Pixels(1, 2, 1, new byte[] {(byte) i, 1}));
            labels[i] = i % 3;
        }
        return MemoryDataset.of("numbers", images, labels, List.of("a", "b", "c"));
    }

    private record Failing(int size) implements Dataset {
        @Override
        public String name() {
            return "failing";
        }

        @Override
        public int height() {
            return 1;
        }

        @Override
        public int width() {
            return 1;
        }

        @Override
        public int channels() {
            return 1;
        }

        @Override
        public List<String> classNames() {
            return List.of("all");
        }

        @Override
        public void read(int row, byte[] destination, int offset) {
            if (row == 30) {
                throw new IllegalStateException("row 30 is gone");
            }
        }

        @Override
        public int label(int row) {
            return 0;
        }
    }
}
