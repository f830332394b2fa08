/**
 * Optimisers, each one fused native call for all parameters of a network; moving averages, schedules, clipping.
 *
 * <p>Learning rate and step number live in device memory, so nothing that changes from step to step is part of a launch.
 */
package dev.cgan.optim;
