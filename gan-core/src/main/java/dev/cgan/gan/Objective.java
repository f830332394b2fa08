package dev.cgan.gan;

import dev.cgan.io.Suggestions;
import dev.cgan.tensor.Tensor;
import java.util.List;

/**
 * What the two players minimise, as functions of the discriminator's raw outputs (logits, or scores of a critic), one
 * for each image. All are means over the batch, finite for every finite logit, and computed without exponentials that
 * overflow: {@code -log sigmoid(x) = softplus(-x)}.
 */
public sealed interface Objective {
    /**
     * The discriminator's loss.
     *
     * @param real its outputs for real images, one for each
     * @param fake its outputs for generated images, one for each
     * @return a scalar in the innermost scope
     */
    Tensor discriminator(Tensor real, Tensor fake);

    /**
     * The generator's loss.
     *
     * @param fake the discriminator's outputs for generated images, one for each
     * @return a scalar in the innermost scope
     */
    Tensor generator(Tensor fake);

    /**
     * Turns outputs into what a user watches: how real each image looks to the discriminator.
     *
     * @param outputs the discriminator's raw outputs
     * @return of the same shape, without gradient; 0.5 means undecided, but for {@link Wasserstein}, whose scores have no
     *     scale and are returned as they are
     */
    Tensor probability(Tensor outputs);

    /** {@return whether {@link #probability} is a number that 0.5 is the middle of; false for {@link Wasserstein}} */
    default boolean givesProbabilities() {
        return true;
    }

    /** {@return the name by which {@link #named} finds this objective} */
    String name();

    /** {@return the names that {@link #named} knows} */
    static List<String> names() {
        return List.of("non-saturating", "minimax", "least-squares", "hinge", "wasserstein");
    }

    /**
     * Finds an objective.
     *
     * @param name one of {@link #names}
     * @return the objective with its usual constants
     * @throws IllegalArgumentException if there is none of that name
     */
    static Objective named(String name) {
        return switch (name) {
            case "non-saturating" -> new NonSaturating();
            case "minimax" -> new Minimax();
            case "least-squares" -> new LeastSquares(0, 1, 1);
            case "hinge" -> new Hinge();
            case "wasserstein" -> new Wasserstein();
            default ->
                throw new IllegalArgumentException(
                        "unknown objective '" + name + "'; " + Suggestions.didYouMean(name, names()));
        };
    }

    /**
     * Goodfellow et al. 2014, with the generator's loss that they use in practice.
     *
     * <p>D: {@code -1/2 E log D(x) - 1/2 E log(1 - D(G(z)))}, which is the mean binary cross-entropy over as many real as
     * generated images. G: {@code -E log D(G(z))}.
     */
    record NonSaturating() implements Objective {
        @Override
        public Tensor discriminator(Tensor real, Tensor fake) {
            return binaryCrossEntropy(real, fake);
        }

        @Override
        public Tensor generator(Tensor fake) {
            return fake.negate().softplus().mean();
        }

        @Override
        public Tensor probability(Tensor outputs) {
            return outputs.detach().sigmoid();
        }

        @Override
        public String name() {
            return "non-saturating";
        }
    }

    /**
     * The zero-sum game of Goodfellow et al. 2014: the generator minimises what the discriminator maximises.
     *
     * <p>D as {@link NonSaturating}. G: {@code 1/2 E log(1 - D(G(z)))}, the part of {@code -J_D} that depends on G. Its
     * gradient vanishes where D is sure, hence "saturating".
     */
    record Minimax() implements Objective {
        @Override
        public Tensor discriminator(Tensor real, Tensor fake) {
            return binaryCrossEntropy(real, fake);
        }

        @Override
        public Tensor generator(Tensor fake) {
            return fake.softplus().mean().times(-0.5);
        }

        @Override
        public Tensor probability(Tensor outputs) {
            return outputs.detach().sigmoid();
        }

        @Override
        public String name() {
            return "minimax";
        }
    }

    /**
     * Least squares (Mao et al. 2017). D: {@code 1/2 E (D(x) - b)^2 + 1/2 E (D(G(z)) - a)^2}. G: {@code 1/2 E (D(G(z)) -
     * c)^2}. No sigmoid anywhere.
     *
     * @param a what D should say of generated images
     * @param b what D should say of real images
     * @param c what G wants D to say of its images
     */
    record LeastSquares(double a, double b, double c) implements Objective {
        /** Checks that real and generated images have different targets. */
        public LeastSquares {
            if (!(a != b)) {
                throw new IllegalArgumentException("least squares needs different targets, a = b = " + a);
            }
        }

        @Override
        public Tensor discriminator(Tensor real, Tensor fake) {
            return halfMeanSquare(real, b).plus(halfMeanSquare(fake, a));
        }

        @Override
        public Tensor generator(Tensor fake) {
            return halfMeanSquare(fake, c);
        }

        @Override
        public Tensor probability(Tensor outputs) {
            return outputs.detach().minus(a).dividedBy(b - a);
        }

        @Override
        public String name() {
            return "least-squares";
        }

        private static Tensor halfMeanSquare(Tensor outputs, double target) {
            return outputs.minus(target).square().mean().times(0.5);
        }
    }

    /**
     * Hinge (Lim and Ye 2017; Miyato et al. 2018). D: {@code E max(0, 1 - D(x)) + E max(0, 1 + D(G(z)))}. G: {@code -E
     * D(G(z))}.
     */
    record Hinge() implements Objective {
        @Override
        public Tensor discriminator(Tensor real, Tensor fake) {
            return real.negate().plus(1).relu().mean().plus(fake.plus(1).relu().mean());
        }

        @Override
        public Tensor generator(Tensor fake) {
            return fake.mean().negate();
        }

        /** The sigmoid: a score on the scale of the other objectives, not a calibrated probability. */
        @Override
        public Tensor probability(Tensor outputs) {
            return outputs.detach().sigmoid();
        }

        @Override
        public String name() {
            return "hinge";
        }
    }

    /**
     * The critic's estimate of the Wasserstein distance (Arjovsky et al. 2017), negated: {@code E D(G(z)) - E D(x)}. G:
     * {@code -E D(G(z))}. Sound only with a critic that something keeps Lipschitz, such as a gradient penalty.
     */
    record Wasserstein() implements Objective {
        @Override
        public Tensor discriminator(Tensor real, Tensor fake) {
            return fake.mean().minus(real.mean());
        }

        @Override
        public Tensor generator(Tensor fake) {
            return fake.mean().negate();
        }

        @Override
        public Tensor probability(Tensor outputs) {
            return outputs.detach();
        }

        @Override
        public boolean givesProbabilities() {
            return false;
        }

        @Override
        public String name() {
            return "wasserstein";
        }
    }

    private static Tensor binaryCrossEntropy(Tensor real, Tensor fake) {
        return real.negate().softplus().mean().plus(fake.softplus().mean()).times(0.5);
    }
}
