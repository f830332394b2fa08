/** JMH benchmarks: what calls, kernels and training steps cost. */
package dev.cgan.benchmarks;
