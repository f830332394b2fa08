package dev.cgan.nn;

import dev.cgan.tensor.Shape;
import java.util.List;

/** A network whose layers can be listed without running it. */
public interface Describable {
    /**
     * {@return the layers in order}
     *
     * @param input shape of the input, batch included
     * @throws IllegalArgumentException if the network cannot take it
     */
    List<LayerInfo> describe(Shape input);
}
