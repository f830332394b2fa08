package dev.cgan.gan;

import dev.cgan.nn.ParameterFactory;
import dev.cgan.tensor.DType;
import dev.cgan.tensor.Device;
import java.util.function.Function;

/**
 * A kind of model that can be made by name.
 *
 * @param name what commands, configurations and checkpoints call it
 * @param title one line for people
 * @param paper where its algorithm is from
 * @param defaults its settings
 * @param sizeFactor both sides of its images are multiples of this
 * @param generator makes only the network that draws
 * @param model makes all networks and optimizers
 */
public record ModelType(
        String name,
        String title,
        String paper,
        Settings defaults,
        int sizeFactor,
        Function<Plan, Generator> generator,
        Function<Plan, GanModel> model) {

    /**
     * What a model is made from.
     *
     * @param device where its tensors live
     * @param images what it is for
     * @param settings all settings of its type
     * @param seed of its initial parameters
     * @param dtype F32, or F64 to check gradients
     */
    public record Plan(Device device, ImageShape images, Settings settings, long seed, DType dtype) {
        /** {@return what makes its parameters} */
        ParameterFactory parameters() {
            return new ParameterFactory(device, dtype, seed);
        }
    }

    /**
     * Checks that images suit this model.
     *
     * @param images their size
     * @throws IllegalArgumentException saying what to do, if they do not
     */
    public void requireFit(ImageShape images) {
        images.requireMultipleOf(sizeFactor, name);
    }

    /**
     * Makes a model with fresh parameters.
     *
     * @param plan what it is made from
     * @return the model, whose tensors join the innermost scope
     * @throws IllegalArgumentException if the images do not suit it
     */
    public GanModel create(Plan plan) {
        requireFit(plan.images());
        return model.apply(plan);
    }

    /**
     * Makes only the generator, to be filled with trained parameters.
     *
     * @param plan what it is made from
     * @return the generator, whose tensors join the innermost scope
     * @throws IllegalArgumentException if the images do not suit it
     */
    public Generator createGenerator(Plan plan) {
        requireFit(plan.images());
        return generator.apply(plan);
    }
}
