package dev.cgan.nn;

import dev.cgan.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Something with parameters: a layer or a network. */
public interface Module {
    /** {@return the parameters, in a fixed order} */
    List<Parameter> parameters();

    /** {@return tensors that belong to the state but have no gradient, such as moving statistics, by name, in a fixed order} */
    default Map<String, Tensor> buffers() {
        return Map.of();
    }

    /** {@return parameters and buffers by name, in a fixed order; the tensors themselves, not copies} */
    default Map<String, Tensor> stateDict() {
        Map<String, Tensor> state = new LinkedHashMap<>();
        for (Parameter parameter : parameters()) {
            state.put(parameter.name(), parameter);
        }
        state.putAll(buffers());
        return state;
    }

    /**
     * Copies values into the parameters and buffers.
     *
     * @param state a tensor for each name of {@link #stateDict}, of its shape; others are ignored
     * @throws IllegalArgumentException if one is missing or has another shape; nothing is changed then
     */
    default void loadState(Map<String, ? extends Tensor> state) {
        Map<String, Tensor> own = stateDict();
        own.forEach((name, tensor) -> {
            Tensor source = state.get(name);
            if (source == null) {
                throw new IllegalArgumentException("there is no tensor " + name + " among " + state.keySet());
            }
            if (!source.shape().equals(tensor.shape())) {
                throw new IllegalArgumentException(
                        name + " has shape " + tensor.shape() + ", but the state gives " + source.shape());
            }
        });
        own.forEach((name, tensor) -> tensor.copyFrom(state.get(name)));
    }

    /** {@return the number of values in all parameters} */
    default long parameterCount() {
        return parameters().stream().mapToLong(Tensor::size).sum();
    }
}
