/**
 * For applications: {@link dev.cgan.TrainedGenerator} draws, {@link dev.cgan.Training} trains. What they are made of is in
 * the other packages.
 */
package dev.cgan;
