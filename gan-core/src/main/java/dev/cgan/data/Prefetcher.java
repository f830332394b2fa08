package dev.cgan.data;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;

/**
 * Reads the batch of the next step on a thread of its own while the current step trains. Batches come strictly in the
 * order of their steps; a failure to read comes out of {@link #next} at the step that it belongs to.
 *
 * <p>To be used by one thread, and closed.
 */
public final class Prefetcher implements AutoCloseable {
    private final BlockingQueue<Item> ready = new ArrayBlockingQueue<>(1);
    private final BlockingQueue<DataBatch> free = new ArrayBlockingQueue<>(2);
    private final Thread thread;
    private DataBatch lent;
    private Throwable failure;
    private boolean closed;

    private record Item(DataBatch batch, Throwable failure) {}

    /**
     * Starts reading ahead.
     *
     * @param batches where batches come from
     * @param firstStep the step of the first batch, from 1
     */
    public Prefetcher(Batches batches, long firstStep) {
        free.add(batches.allocate());
        free.add(batches.allocate());
        thread = Thread.ofPlatform().daemon().name("cgan-prefetch").unstarted(() -> run(batches, firstStep));
        thread.start();
    }

    /**
     * Takes the next batch.
     *
     * @return a buffer that stays valid until the next call; its {@link DataBatch#step} tells the step
     * @throws IllegalStateException if this is closed, an earlier batch could not be read, or the thread is interrupted
     * @throws RuntimeException the failure to read this batch
     */
    public DataBatch next() {
        if (closed) {
            throw new IllegalStateException("the prefetcher is closed");
        }
        if (failure != null) {
            throw new IllegalStateException("an earlier batch could not be read", failure);
        }
        if (lent != null) {
            free.add(lent);
            lent = null;
        }
        Item item;
        try {
            item = ready.take();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while waiting for a batch", e);
        }
        if (item.failure() != null) {
            failure = item.failure();
            switch (failure) {
                case RuntimeException e -> throw e;
                case Error e -> throw e;
                default -> throw new IllegalStateException(failure);
            }
        }
        lent = item.batch();
        return lent;
    }

    /** {@return whether {@link #next} gives a batch at once} */
    public boolean isReady() {
        Item item = closed || failure != null ? null : ready.peek();
        return item != null && item.failure() == null;
    }

    /** Stops the thread and waits for its end. Closing again does nothing. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        thread.interrupt();
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void run(Batches batches, long firstStep) {
        try {
            for (long step = firstStep; ; step++) {
                DataBatch batch = free.take();
                try {
                    batches.read(step, batch);
                } catch (RuntimeException | Error e) {
                    ready.put(new Item(null, e));
                    return;
                }
                ready.put(new Item(batch, null));
            }
        } catch (InterruptedException e) {
            // close() asks for the end this way.
            Thread.currentThread().interrupt();
        }
    }
}
