package dev.cgan;

import dev.cgan.data.Dataset;
import dev.cgan.data.DatasetOptions;
import dev.cgan.data.Datasets;
import dev.cgan.io.RunDirectory;
import dev.cgan.train.TrainConfig;
import dev.cgan.train.TrainListener;
import dev.cgan.train.TrainResult;
import dev.cgan.train.Trainer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Trains a model inside an application: {@code Training.builder()}, settings, {@code run()}. */
public final class Training {
    private Training() {}

    /** {@return a builder of a training with all defaults} */
    public static Builder builder() {
        return new Builder();
    }

    /** What a training is made from. */
    public static final class Builder {
        private final Map<String, Object> values = new LinkedHashMap<>();
        private Dataset dataset;
        private Path out;
        private TrainListener listener = new TrainListener() {};

        private Builder() {}

        /**
         * Chooses a model: {@code cgan}, {@code report}, {@code dcgan} or {@code wgan-gp}.
         *
         * @param name its name; {@code cgan} if this is not called
         * @return this
         */
        public Builder model(String name) {
            return set("model", name);
        }

        /**
         * Learns from an application's own images, such as {@link dev.cgan.data.MemoryDataset#of} holds.
         *
         * @param data the images
         * @return this
         */
        public Builder data(Dataset data) {
            dataset = data;
            return set("data", data.name());
        }

        /**
         * Learns from images by name.
         *
         * @param spec as {@link Datasets#open} takes it: a folder, IDX files, or a data set of a module in use
         * @return this
         */
        public Builder data(String spec) {
            dataset = null;
            return set("data", spec);
        }

        /**
         * Sets how long to train.
         *
         * @param count steps, 3000 if this is not called
         * @return this
         */
        public Builder steps(int count) {
            return set("steps", count);
        }

        /**
         * Changes any other value of {@link TrainConfig}, such as {@code batch}, {@code seed}, {@code device} or {@code graph},
         * or a setting of the model, such as {@code lr}.
         *
         * @param key its name
         * @param value a number, flag or word
         * @return this
         */
        public Builder set(String key, Object value) {
            values.put(key, value);
            return this;
        }

        /**
         * Says where to keep metrics, pictures and checkpoints. Without a folder, nothing is kept.
         *
         * @param folder a new or empty folder
         * @return this
         */
        public Builder out(Path folder) {
            out = folder;
            return this;
        }

        /**
         * Watches the training.
         *
         * @param watcher is told what happens, on the thread that trains
         * @return this
         */
        public Builder listener(TrainListener watcher) {
            listener = watcher;
            return this;
        }

        /**
         * Trains, on the calling thread.
         *
         * @return how it ended
         * @throws IllegalArgumentException if a value makes no sense, or the data does not suit the model
         * @throws dev.cgan.train.TrainingDivergedException if a loss is not finite
         * @throws IOException if reading data or writing the run fails
         */
        public TrainResult run() throws IOException {
            TrainConfig config = TrainConfig.of(values);
            Dataset data = dataset != null ? dataset : Datasets.open(config.data(), options(config));
            try (Trainer trainer = Trainer.create(config, data, listener)) {
                if (out != null) {
                    trainer.keepIn(RunDirectory.createAt(out));
                }
                return trainer.run();
            }
        }

        private static DatasetOptions options(TrainConfig config) {
            return DatasetOptions.defaults().withImageSize(config.imageSize()).withChannels(config.channels());
        }
    }
}
