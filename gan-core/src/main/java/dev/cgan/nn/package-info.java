/**
 * Networks: parameters, layers, the stateless operators they are made of, initialisers, random numbers.
 *
 * <p>Images are NHWC, filters KRSC, dense weights [out, in]. Layers hold no hidden mode: each forward pass is told by its
 * {@link dev.cgan.nn.Pass} whether it trains. Results join the innermost open scope of the device; parameters and buffers
 * live in the scope that was innermost when their layer was built.
 */
package dev.cgan.nn;
