package dev.cgan.autograd;

import dev.cgan.tensor.Kernels;
import dev.cgan.tensor.Node;
import dev.cgan.tensor.Recording;
import dev.cgan.tensor.Tensor;
import dev.cgan.tensor.TensorScope;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * One walk from a loss back to the tensors to differentiate by.
 *
 * <p>Tensors are numbered as they are made, so descending numbers are a topological order, and a fixed one.
 */
final class BackwardPass {
    /** A tensor between the loss and wrt. */
    private static final class Stop {
        final Tensor tensor;
        final boolean wanted;
        boolean leadsToWanted;
        Tensor gradient;

        /** Whether the gradient's memory belongs to this stop alone, so that it can be added to and freed. */
        boolean owned;

        Stop(Tensor tensor, boolean wanted) {
            this.tensor = tensor;
            this.wanted = wanted;
            this.leadsToWanted = wanted;
        }
    }

    private final Tensor loss;
    private final List<? extends Tensor> wrt;
    private final boolean createGraph;
    private final Map<Tensor, Stop> stops = new IdentityHashMap<>();

    BackwardPass(Tensor loss, List<? extends Tensor> wrt, boolean createGraph) {
        if (loss.size() != 1 || !loss.dtype().floating()) {
            throw new IllegalArgumentException("gradients need a loss of one floating-point element, not " + loss
                    + "; reduce it by sum() or mean()");
        }
        for (Tensor tensor : wrt) {
            if (!tensor.isDifferentiable()) {
                throw new IllegalArgumentException(tensor
                        + " is not differentiable: mark it by requiresGrad() before it is used, with recording on");
            }
        }
        this.loss = loss;
        this.wrt = wrt;
        this.createGraph = createGraph;
    }

    List<Tensor> run() {
        List<Stop> order = plan();
        boolean before = Recording.set(createGraph);
        try {
            if (createGraph) {
                walk(order, null);
                return results(null);
            }
            try (TensorScope scope = loss.device().scope("gradients")) {
                walk(order, scope);
                return results(scope);
            }
        } finally {
            Recording.set(before);
        }
    }

    /** The stops that lead to wrt, loss first. */
    private List<Stop> plan() {
        for (Tensor tensor : wrt) {
            stops.put(tensor, new Stop(tensor, true));
        }
        ArrayDeque<Tensor> open = new ArrayDeque<>();
        List<Stop> found = new ArrayList<>();
        visit(loss, open, found, new IdentityHashMap<>());
        found.sort(Comparator.comparingLong(stop -> stop.tensor.id()));
        for (Stop stop : found) {
            Node node = stop.tensor.node();
            for (int i = 0; node != null && i < node.inputs(); i++) {
                Stop input = stops.get(node.input(i));
                stop.leadsToWanted |= input != null && input.leadsToWanted;
            }
        }
        found.removeIf(stop -> !stop.leadsToWanted);
        return found.reversed();
    }

    private void visit(Tensor from, ArrayDeque<Tensor> open, List<Stop> found, Map<Tensor, Boolean> seen) {
        open.push(from);
        while (!open.isEmpty()) {
            Tensor tensor = open.pop();
            if (!tensor.isDifferentiable() || seen.put(tensor, true) != null) {
                continue;
            }
            found.add(stops.computeIfAbsent(tensor, t -> new Stop(t, false)));
            Node node = tensor.node();
            for (int i = 0; node != null && i < node.inputs(); i++) {
                open.push(node.input(i));
            }
        }
    }

    private void walk(List<Stop> order, TensorScope scope) {
        if (order.isEmpty()) {
            return;
        }
        Stop first = order.getFirst();
        first.gradient = loss.device().full(1, loss.dtype(), loss.shape());
        first.owned = true;
        for (Stop stop : order) {
            if (stop.gradient != null && stop.tensor.node() != null) {
                passOn(stop, scope);
            }
            if (scope != null && stop.owned && !stop.wanted && stop.gradient != null) {
                stop.gradient.release();
                stop.gradient = null;
            }
        }
    }

    /** Gives a stop's inputs their share of its gradient. */
    private void passOn(Stop stop, TensorScope scope) {
        Node node = stop.tensor.node();
        boolean[] needed = new boolean[node.inputs()];
        boolean any = false;
        for (int i = 0; i < needed.length; i++) {
            Stop input = stops.get(node.input(i));
            needed[i] = input != null && input.leadsToWanted;
            any |= needed[i];
        }
        if (!any) {
            return;
        }
        Node.Needs needs = new Node.Needs(needed, createGraph);
        if (scope == null) {
            share(node, node.gradients(stop.gradient, needs), stop.gradient, null);
            return;
        }
        try (TensorScope inner = scope.device().scope(node.operator())) {
            share(node, node.gradients(stop.gradient, needs), stop.gradient, inner);
        }
    }

    private void share(Node node, Tensor[] gradients, Tensor of, TensorScope inner) {
        for (int i = 0; i < node.inputs(); i++) {
            Stop input = stops.get(node.input(i));
            if (gradients[i] == null || input == null || !input.leadsToWanted) {
                continue;
            }
            if (!gradients[i].shape().equals(node.input(i).shape())) {
                throw new IllegalStateException("the gradient of " + node.operator() + " for " + node.input(i)
                        + " has shape " + gradients[i].shape());
            }
            accumulate(input, gradients[i], inner);
        }
    }

    private void accumulate(Stop stop, Tensor gradient, TensorScope inner) {
        if (inner == null) {
            stop.gradient = stop.gradient == null ? gradient : stop.gradient.plus(gradient);
        } else if (stop.gradient == null) {
            // A rule may hand on its own operand, or one tensor twice: each stop gets a view that is its own to free.
            stop.gradient = inner.keep(gradient.alias());
            stop.owned = true;
        } else if (stop.gradient.isSoleView()) {
            Kernels.addInPlace(stop.gradient, gradient);
        } else {
            Tensor sum = inner.keep(stop.gradient.plus(gradient));
            stop.gradient.release();
            stop.gradient = sum;
        }
    }

    private List<Tensor> results(TensorScope scope) {
        List<Tensor> results = new ArrayList<>(wrt.size());
        for (Tensor tensor : wrt) {
            Tensor gradient = stops.get(tensor).gradient;
            if (gradient == null) {
                gradient = tensor.device().zeros(tensor.dtype(), tensor.shape());
            } else if (scope != null && !gradient.isSoleView()) {
                gradient = gradient.copy(); // so that the caller may clip it in place
            }
            results.add(scope == null ? gradient : scope.keep(gradient));
        }
        return results;
    }
}
