/**
 * Generative adversarial networks: objectives, and models of one file each that read like their paper's algorithm.
 *
 * <p>A {@link dev.cgan.gan.GanModel} knows its networks and one training step; data, scopes, checkpoints, schedules and
 * logs are {@code dev.cgan.train}'s.
 */
package dev.cgan.gan;
