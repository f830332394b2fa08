package dev.cgan.tensor;

/**
 * How a tensor came about: the operator, its inputs, and the rule that turns the gradient of the result into gradients of
 * the inputs. Together the nodes form the graph that {@code Autograd} walks.
 */
public final class Node {
    /**
     * The backward rule of one operator. It makes its results with the operators of {@link Tensor}; when
     * {@link Needs#graph()} is true these must be differentiable in the inputs and in the gradient, otherwise fused
     * kernels may be used.
     */
    @FunctionalInterface
    public interface Backward {
        /**
         * {@return one gradient for each input, of that input's shape; null where it is not needed}
         *
         * @param gradient of the result, of its shape
         * @param needs which inputs need a gradient
         */
        Tensor[] gradients(Tensor gradient, Needs needs);
    }

    /** Which gradients a backward rule has to compute. */
    public static final class Needs {
        private final boolean[] inputs;
        private final boolean graph;

        /** Makes it; {@code inputs[i]} tells whether input i needs a gradient. */
        public Needs(boolean[] inputs, boolean graph) {
            this.inputs = inputs;
            this.graph = graph;
        }

        /** {@return the number of inputs} */
        public int inputs() {
            return inputs.length;
        }

        /** {@return whether input i needs a gradient} */
        public boolean input(int i) {
            return inputs[i];
        }

        /** {@return whether the gradients will be differentiated themselves} */
        public boolean graph() {
            return graph;
        }
    }

    private final String operator;
    private final Backward backward;
    private final Tensor[] inputs;
    private final int[] versions;

    private Node(String operator, Backward backward, Tensor[] inputs) {
        this.operator = operator;
        this.backward = backward;
        this.inputs = inputs;
        this.versions = new int[inputs.length];
        for (int i = 0; i < inputs.length; i++) {
            versions[i] = inputs[i].block().version;
        }
    }

    /**
     * Records how a result was computed, if recording is on and an input is differentiable; does nothing otherwise.
     *
     * @param result a tensor just computed from the inputs, not recorded yet
     * @param operator for messages
     * @return the result
     */
    public static Tensor record(Tensor result, String operator, Backward backward, Tensor... inputs) {
        if (Recording.isOn()) {
            for (Tensor input : inputs) {
                if (input.isDifferentiable()) {
                    result.recorded(new Node(operator, backward, inputs));
                    break;
                }
            }
        }
        return result;
    }

    /** {@return the operator's name} */
    public String operator() {
        return operator;
    }

    /** {@return the number of inputs} */
    public int inputs() {
        return inputs.length;
    }

    /** {@return input i} */
    public Tensor input(int i) {
        return inputs[i];
    }

    /**
     * Applies the backward rule.
     *
     * @throws IllegalStateException if an input was changed in place since it was used
     */
    public Tensor[] gradients(Tensor gradient, Needs needs) {
        for (int i = 0; i < inputs.length; i++) {
            inputs[i].view();
            if (inputs[i].block().version != versions[i]) {
                throw new IllegalStateException(inputs[i] + " was changed in place after " + operator
                        + " used it; compute gradients before the optimizer's step, or apply the operator again");
            }
        }
        return backward.gradients(gradient, needs);
    }
}
