/**
 * Training: the {@link dev.cgan.train.Trainer} feeds a model with data and looks after scopes, schedules, metrics,
 * pictures, checkpoints and traces; a {@link dev.cgan.train.TrainListener} watches.
 */
package dev.cgan.train;
