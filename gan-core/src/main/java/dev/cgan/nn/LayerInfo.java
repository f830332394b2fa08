package dev.cgan.nn;

import dev.cgan.tensor.Shape;

/**
 * One line of a network's description.
 *
 * @param name the layer's name
 * @param type what it is, such as {@code Conv2d 5x5 tanh}
 * @param input shape of what it takes, batch included
 * @param output shape of its result, batch included
 * @param parameters number of values that are trained
 * @param layer the layer itself
 */
public record LayerInfo(String name, String type, Shape input, Shape output, long parameters, Layer layer) {}
