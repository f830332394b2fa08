package dev.cgan.train;

import java.nio.file.Path;
import java.util.Optional;

/**
 * How a training ended.
 *
 * @param step the last step that was made
 * @param finished whether that was the last one wanted; false if someone asked to stop before
 * @param checkpoint the checkpoint written at the end; empty if nothing is kept
 */
public record TrainResult(long step, boolean finished, Optional<Path> checkpoint) {}
