package dev.cgan.nn;

import dev.cgan.tensor.Shape;
import dev.cgan.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Layers one after the other. */
public final class Sequential implements Layer {
    private final String name;
    private final List<Layer> layers;

    /**
     * Makes the network.
     *
     * @throws IllegalArgumentException if two parameters or buffers have the same name
     */
    public Sequential(String name, Layer... layers) {
        this.name = name;
        this.layers = List.of(layers);
        Set<String> names = new HashSet<>();
        for (Layer layer : layers) {
            for (String key : layer.stateDict().keySet()) {
                if (!names.add(key)) {
                    throw new IllegalArgumentException("two parameters of " + name + " are named " + key);
                }
            }
        }
    }

    /** {@return the layers in order} */
    public List<Layer> layers() {
        return layers;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public List<Parameter> parameters() {
        List<Parameter> parameters = new ArrayList<>();
        for (Layer layer : layers) {
            parameters.addAll(layer.parameters());
        }
        return List.copyOf(parameters);
    }

    @Override
    public Map<String, Tensor> buffers() {
        Map<String, Tensor> buffers = new LinkedHashMap<>();
        for (Layer layer : layers) {
            buffers.putAll(layer.buffers());
        }
        return buffers;
    }

    @Override
    public Tensor apply(Tensor x, Pass pass) {
        Tensor result = x;
        for (Layer layer : layers) {
            result = layer.apply(result, pass);
        }
        return result;
    }

    @Override
    public Shape outputShape(Shape input) {
        Shape shape = input;
        for (Layer layer : layers) {
            shape = layer.outputShape(shape);
        }
        return shape;
    }

    @Override
    public List<LayerInfo> describe(Shape input) {
        List<LayerInfo> lines = new ArrayList<>();
        Shape shape = input;
        for (Layer layer : layers) {
            lines.addAll(layer.describe(shape));
            shape = layer.outputShape(shape);
        }
        return lines;
    }
}
