package dev.cgan.benchmarks;

import dev.cgan.data.Dataset;
import dev.cgan.train.Progress;
import dev.cgan.train.TrainConfig;
import dev.cgan.train.TrainListener;
import dev.cgan.train.TrainStart;
import dev.cgan.train.Trainer;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Semaphore;

/** A training that makes a step when it is asked to, on a thread of its own: the trainer's whole path, nothing left out. */
final class PacedTraining implements TrainListener, AutoCloseable {
    private final Semaphore asked = new Semaphore(0);
    private final Semaphore done = new Semaphore(0);
    private final Trainer trainer;
    private final CompletableFuture<Void> running;

    /**
     * Prepares the training and waits until it is ready.
     *
     * @throws CompletionException if it fails
     */
    PacedTraining(TrainConfig config, Dataset images) {
        trainer = Trainer.create(config, images, this);
        running = CompletableFuture.runAsync(this::train, command -> new Thread(command, "training").start());
        running.whenComplete((_, _) -> done.release());
        await();
    }

    /** Makes one step. */
    void step() {
        asked.release();
        await();
    }

    @Override
    public void onStart(TrainStart start) {
        done.release();
        asked.acquireUninterruptibly();
    }

    @Override
    public void onStep(Progress progress) {
        done.release();
        asked.acquireUninterruptibly();
    }

    @Override
    public void close() {
        trainer.requestStop();
        asked.release(2); // one for a step that was begun before the request was seen
        running.join();
    }

    private void train() {
        try (trainer) {
            trainer.run();
        } catch (IOException e) {
            throw new CompletionException(e);
        }
    }

    private void await() {
        done.acquireUninterruptibly();
        if (running.isCompletedExceptionally()) {
            running.join();
        }
    }
}
