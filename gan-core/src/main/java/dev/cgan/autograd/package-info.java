/** Reverse-mode differentiation as a function: gradients are returned, nothing is accumulated or changed. */
package dev.cgan.autograd;
