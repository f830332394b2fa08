package dev.cgan.train;

import dev.cgan.gan.Losses;
import dev.cgan.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The numbers of one step, on the host. A mean over no number is never taken: batches have at least one image.
 *
 * @param discriminatorLoss the discriminator's loss
 * @param generatorLoss the generator's loss
 * @param real the mean of D(x)
 * @param fake the mean of D(G(z))
 */
record Figures(float discriminatorLoss, float generatorLoss, float real, float fake) {

    /** {@return the numbers of a step} */
    static Figures read(Losses losses) {
        return read(gather(losses));
    }

    /** {@return the numbers of a step in one tensor, to be fetched in one transfer} */
    static Tensor gather(Losses losses) {
        return Tensor.concat(
                0,
                losses.discriminator().detach().reshape(1),
                losses.generator().detach().reshape(1),
                losses.real().mean().reshape(1),
                losses.fake().mean().reshape(1));
    }

    /** {@return numbers that were {@linkplain #gather gathered}} */
    static Figures read(Tensor gathered) {
        float[] values = gathered.toFloats();
        return new Figures(values[0], values[1], values[2], values[3]);
    }

    /** {@return the names and values as metrics and traces have them} */
    Map<String, Double> toMap() {
        Map<String, Double> map = new LinkedHashMap<>();
        map.put("d_loss", (double) discriminatorLoss);
        map.put("g_loss", (double) generatorLoss);
        map.put("d_real", (double) real);
        map.put("d_fake", (double) fake);
        return map;
    }

    /** {@return such as {@code d_loss is NaN}, if any is not finite} */
    Optional<String> whatIsNotFinite() {
        return toMap().entrySet().stream()
                .filter(entry -> !Double.isFinite(entry.getValue()))
                .map(entry -> entry.getKey() + " is " + entry.getValue())
                .findFirst();
    }
}
