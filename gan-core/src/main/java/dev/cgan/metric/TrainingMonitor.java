package dev.cgan.metric;

import dev.cgan.metric.Warning.Kind;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Watches the figures and samples of a run and says in plain words when something goes wrong, with the remedy. Each kind
 * of warning comes at most once in 500 steps, except the fatal one. Not safe for use by several threads.
 */
public final class TrainingMonitor {
    private static final int SILENCE_STEPS = 500;
    private static final int PATIENCE_STEPS = 100;
    private static final double DECAY = 0.95;
    // Averages of D(x) and D(G(z)): 0.81 and 0.19 at most in whole runs of the default model, 0.94 and 0.08 in a small
    // `report` that still learns, 1.000 and 0.000 where the generator has lost.
    private static final double SURE = 0.98;
    private static final double UNSURE = 0.01;
    // Of real images' distances: 0.83 to 1.06 throughout three whole runs of the default model, 0.35 where a model
    // draws one
    // shape a digit. Before this step even a healthy generator may draw what is hardly more than noise.
    private static final int COLLAPSE_FROM_STEP = 500;
    private static final double COLLAPSE_RATIO = 0.4;
    private static final double STUCK_CHANGE = 1e-5;

    private final boolean probabilities;
    private final double[] realDistances;
    private final Map<Kind, Long> lastWarned = new EnumMap<>(Kind.class);
    private final MovingAverage real = new MovingAverage(DECAY);
    private final MovingAverage fake = new MovingAverage(DECAY);
    private long wonSteps;
    private long idleSteps;
    private boolean collapsedBefore;
    private float[] previousSamples;

    /**
     * Creates a monitor.
     *
     * @param probabilities whether the discriminator's outputs are probabilities; those of a critic are not judged
     * @param realDistances the mean distance between real images within each class, of
     *     {@link PairwiseDistance#ofDataset}, for comparison
     */
    public TrainingMonitor(boolean probabilities, double[] realDistances) {
        this.probabilities = probabilities;
        this.realDistances = realDistances.clone();
    }

    /**
     * Looks at the figures of a step.
     *
     * @param step its number
     * @param dLoss the discriminator's loss
     * @param gLoss the generator's loss
     * @param dReal the mean of D(x)
     * @param dFake the mean of D(G(z))
     * @return what is wrong, if anything
     */
    public Optional<Warning> step(long step, double dLoss, double gLoss, double dReal, double dFake) {
        if (!Double.isFinite(dLoss) || !Double.isFinite(gLoss)) {
            String text = format(
                    "step %d: d_loss is %s and g_loss is %s, training cannot go on. The last good checkpoint is kept: "
                            + "resume it with a lower --lr, or try another --objective.",
                    step, dLoss, gLoss);
            return Optional.of(new Warning(Kind.NON_FINITE, step, text));
        }
        real.add(dReal);
        fake.add(dFake);
        if (!probabilities) {
            return Optional.empty();
        }
        boolean won = real.value() > SURE && fake.value() < 1 - SURE;
        boolean idle = Math.abs(real.value() - 0.5) < UNSURE
                && Math.abs(fake.value() - 0.5) < UNSURE
                && Math.abs(real.value() - fake.value()) < UNSURE / 2;
        wonSteps = won ? wonSteps + 1 : 0;
        idleSteps = idle ? idleSteps + 1 : 0;
        if (wonSteps > PATIENCE_STEPS) {
            return limited(
                    Kind.DISCRIMINATOR_WON,
                    step,
                    format(
                            "the discriminator has won: D(x) is %.3f and D(G(z)) is %.3f for over %d steps, so the generator "
                                    + "learns next to nothing. Lower --lr, try --objective hinge or the model wgan-gp, or add data.",
                            real.value(), fake.value(), PATIENCE_STEPS));
        }
        if (idleSteps > PATIENCE_STEPS) {
            return limited(
                    Kind.DISCRIMINATOR_IDLE,
                    step,
                    format(
                            "the discriminator tells nothing apart: D(x) is %.3f and D(G(z)) is %.3f for over %d steps. If the "
                                    + "samples are poor, raise --lr and check that the data is what you think.",
                            real.value(), fake.value(), PATIENCE_STEPS));
        }
        return Optional.empty();
    }

    /**
     * Looks at a set of generated images. Sets made from the same noise each time also show when the generator stops
     * changing.
     *
     * @param step the step after which they were made
     * @param images [n, length] in [-1, 1]
     * @param length elements of an image
     * @param labels the class of each image [n]
     * @return what is wrong, if anything
     */
    public Optional<Warning> samples(long step, float[] images, int length, int[] labels) {
        double change = change(images);
        previousSamples = images.clone();
        if (change < STUCK_CHANGE) {
            return limited(
                    Kind.STUCK,
                    step,
                    format(
                            "the samples have not changed since the last ones (by %.1e on average): the generator is stuck. "
                                    + "Raise --lr, or start again with another --seed.",
                            change));
        }
        double[] distances = PairwiseDistance.withinClasses(images, length, labels, realDistances.length);
        double ratio = 0;
        int counted = 0;
        for (int c = 0; c < distances.length; c++) {
            if (Double.isFinite(distances[c]) && realDistances[c] > 0) {
                ratio += distances[c] / realDistances[c];
                counted++;
            }
        }
        boolean collapsed = counted > 0 && ratio / counted < COLLAPSE_RATIO && step >= COLLAPSE_FROM_STEP;
        boolean twice = collapsed && collapsedBefore;
        collapsedBefore = collapsed;
        if (!twice) {
            return Optional.empty();
        }
        return limited(
                Kind.COLLAPSED,
                step,
                format(
                        "the samples%s are nearly alike: they differ by %.0f %% of what real images do. Train longer with a "
                                + "lower --lr or a larger --batch, try --objective hinge, or the model wgan-gp.",
                        realDistances.length > 1 ? " of a class" : "", 100 * ratio / counted));
    }

    private double change(float[] images) {
        if (previousSamples == null || previousSamples.length != images.length || images.length == 0) {
            return Double.POSITIVE_INFINITY;
        }
        double sum = 0;
        for (int i = 0; i < images.length; i++) {
            sum += Math.abs(images[i] - previousSamples[i]);
        }
        return sum / images.length;
    }

    private Optional<Warning> limited(Kind kind, long step, String text) {
        Long last = lastWarned.get(kind);
        if (last != null && step - last < SILENCE_STEPS) {
            return Optional.empty();
        }
        lastWarned.put(kind, step);
        return Optional.of(new Warning(kind, step, text));
    }

    private static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }
}
