package dev.cgan.gan;

import dev.cgan.nn.LayerInfo;
import dev.cgan.nn.Module;
import java.util.List;

/** One of the networks of the game. */
public interface Player extends Module {
    /**
     * Lists the layers without running them.
     *
     * @param batch the number of images
     * @return one line for each layer, in order
     */
    List<LayerInfo> describe(long batch);
}
