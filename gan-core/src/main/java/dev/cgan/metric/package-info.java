/** Figures of a training run: averages, pace, diversity of samples, and warnings in plain words. Host memory alone. */
package dev.cgan.metric;
