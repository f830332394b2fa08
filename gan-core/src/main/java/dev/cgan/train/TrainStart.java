package dev.cgan.train;

import java.nio.file.Path;
import java.util.Optional;

/**
 * What a {@link Trainer} is about to do.
 *
 * @param model the model's name
 * @param device the device in words, with the reasons for declining others
 * @param data the data in words
 * @param firstStep the first step to be made; greater than 1 when a run is resumed
 * @param lastStep the last one
 * @param folder the folder of the run; empty if nothing is kept
 */
public record TrainStart(
        String model, String device, String data, long firstStep, long lastStep, Optional<Path> folder) {}
