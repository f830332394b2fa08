package dev.cgan.gan;

import dev.cgan.autograd.Autograd;
import dev.cgan.optim.Optimizer;
import dev.cgan.tensor.Tensor;
import java.util.List;
import java.util.function.Consumer;

/** A network with the optimizer that trains it: the one place through which all gradients of a model pass. */
public final class Network {
    private final String name;
    private final Player player;
    private final Optimizer optimizer;
    private Consumer<List<Tensor>> observer = gradients -> {};

    /**
     * Binds a network to its optimizer.
     *
     * @param name what files and messages call it, such as {@code generator}
     * @param player the network
     * @param optimizer an optimizer of exactly its parameters
     */
    public Network(String name, Player player, Optimizer optimizer) {
        this.name = name;
        this.player = player;
        this.optimizer = optimizer;
    }

    /** {@return what files and messages call it} */
    public String name() {
        return name;
    }

    /** {@return the network} */
    public Player player() {
        return player;
    }

    /** {@return its optimizer} */
    public Optimizer optimizer() {
        return optimizer;
    }

    /**
     * Makes one step down a loss. Other networks on the loss's path stay as they are, and cost no gradients of their own.
     *
     * @param loss a scalar that depends on this network's parameters
     */
    public void minimize(Tensor loss) {
        List<Tensor> gradients = Autograd.gradients(loss, player.parameters());
        observer.accept(gradients);
        optimizer.step(gradients);
    }

    /**
     * Shows each list of gradients to someone before the optimizer uses it.
     *
     * @param watcher receives gradients in the order of the parameters; they live in the innermost scope
     */
    public void onGradients(Consumer<List<Tensor>> watcher) {
        observer = watcher;
    }
}
