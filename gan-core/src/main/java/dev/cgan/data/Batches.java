package dev.cgan.data;

/**
 * Says which images each step trains on. The batch of a step is a pure function of the data set, the batch size, the
 * seed and the step: any step can be asked for, in any order. Safe for use by several threads.
 */
public abstract sealed class Batches {
    private final Dataset dataset;
    private final int size;

    private Batches(Dataset dataset, int size) {
        if (size < 1) {
            throw new IllegalArgumentException("batch size " + size + " is not positive");
        }
        this.dataset = dataset;
        this.size = size;
    }

    /**
     * Takes batches in the order of the file, without shuffling: step s takes batch k = s mod (n/size - 1) of the n
     * images, that is rows k*size to k*size + size - 1. This is the order of the reference experiment; the last whole
     * batch, and what follows it, is never used unless there is only one.
     *
     * @param dataset at least {@code size} images
     * @param size images in a batch
     * @return the batches
     * @throws IllegalArgumentException if there are fewer images than a batch needs
     */
    public static Batches inFileOrder(Dataset dataset, int size) {
        return new InFileOrder(dataset, size);
    }

    /**
     * Walks through one random order of all images after the other, a new one for each epoch; a batch may span two
     * epochs, so that every image is used equally often and no batch is short.
     *
     * @param dataset any images, also fewer than a batch
     * @param size images in a batch
     * @param seed decides the orders
     * @return the batches
     */
    public static Batches shuffled(Dataset dataset, int size, long seed) {
        return new Shuffled(dataset, size, seed);
    }

    /** {@return the number of images in a batch} */
    public final int size() {
        return size;
    }

    /** {@return where the images come from} */
    public final Dataset dataset() {
        return dataset;
    }

    /**
     * Says which images a step trains on.
     *
     * @param step the step, from 1
     * @return the rows of the data set
     */
    public final int[] rows(long step) {
        if (step < 1) {
            throw new IllegalArgumentException("step " + step + " is not positive");
        }
        int[] rows = new int[size];
        fill(step, rows);
        return rows;
    }

    /** {@return a buffer of the right size for {@link #read}} */
    public final DataBatch allocate() {
        return new DataBatch(size, dataset.imageBytes());
    }

    /**
     * Reads the images and labels of a step.
     *
     * @param step the step, from 1
     * @param batch a buffer of {@link #allocate}
     */
    public final void read(long step, DataBatch batch) {
        int[] rows = rows(step);
        for (int i = 0; i < size; i++) {
            dataset.read(rows[i], batch.pixels(), i * dataset.imageBytes());
            batch.labels()[i] = dataset.label(rows[i]);
        }
        batch.setStep(step);
    }

    abstract void fill(long step, int[] rows);

    private static final class InFileOrder extends Batches {
        private final long count;

        InFileOrder(Dataset dataset, int size) {
            super(dataset, size);
            if (dataset.size() < size) {
                throw new IllegalArgumentException("data set " + dataset.name() + " has " + dataset.size()
                        + " images, fewer than a batch of " + size + "; choose a smaller batch");
            }
            count = Math.max(1, dataset.size() / size - 1);
        }

        @Override
        void fill(long step, int[] rows) {
            long first = step % count * rows.length;
            for (int i = 0; i < rows.length; i++) {
                rows[i] = (int) (first + i);
            }
        }
    }

    private static final class Shuffled extends Batches {
        /** The stream of random numbers that decides orders: "SHUF" in ASCII. */
        private static final int STREAM = 0x53485546;

        private final long seed;
        private long epoch = -1;
        private int[] order;

        Shuffled(Dataset dataset, int size, long seed) {
            super(dataset, size);
            this.seed = seed;
        }

        @Override
        synchronized void fill(long step, int[] rows) {
            int images = dataset().size();
            long position = Math.multiplyExact(step - 1, rows.length);
            for (int i = 0; i < rows.length; i++, position++) {
                if (position / images != epoch) {
                    epoch = position / images;
                    order = new Philox(seed, STREAM, epoch).permutation(images);
                }
                rows[i] = order[(int) (position % images)];
            }
        }
    }
}
