package dev.cgan.nn;

import dev.cgan.tensor.Shape;

/**
 * One line of a network's description.
 *
 * @param name the layer's name
 * @param type what it is, such as {@code Conv2d 5x5 tanh}
 * @param output shape of its result, batch included
 * @param parameters number of values that are trained
 */
public record LayerInfo(String name, String type, Shape output, long parameters) {}
