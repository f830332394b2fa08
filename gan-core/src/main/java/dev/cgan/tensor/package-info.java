/**
 * Devices, tensors, the scopes that own them and the pool that their memory comes from.
 *
 * <p>Layout: dense, row-major; images are NHWC (batch, height, width, channel), filters KRSC (out channel, kernel row,
 * kernel column, in channel), dense weights [out, in].
 *
 * <p>Ownership: every result joins the innermost open {@link dev.cgan.tensor.TensorScope} of its device and lives until
 * that scope closes.
 *
 * <p>Threads: a device, with its scopes and tensors, is used by one thread at a time. It may be handed from one thread to
 * another; use by two at once is detected where that is cheap, and reported as an {@link IllegalStateException}.
 */
package dev.cgan.tensor;
