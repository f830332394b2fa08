package dev.cgan.optim;

/** A learning rate that depends on the step. */
@FunctionalInterface
public interface Schedule {
    /**
     * {@return the learning rate of a step}
     *
     * @param step counted from 1
     */
    double at(long step);

    /** {@return one rate for all steps} */
    static Schedule constant(double rate) {
        return step -> rate;
    }

    /** {@return from {@code first} at step 1 straight to {@code last} at step {@code steps}, and that from then on} */
    static Schedule linear(double first, double last, long steps) {
        checkSteps(steps);
        return step -> first + (last - first) * progress(step, steps);
    }

    /** {@return as {@link #linear}, along half a cosine (Loshchilov and Hutter 2017)} */
    static Schedule cosine(double first, double last, long steps) {
        checkSteps(steps);
        return step -> last + (first - last) * (1 + Math.cos(Math.PI * progress(step, steps))) / 2;
    }

    /** {@return {@code first}, times {@code factor} after every {@code every} steps} */
    static Schedule step(double first, double factor, long every) {
        checkSteps(every);
        return step -> first * Math.pow(factor, Math.floorDiv(Math.max(step, 1) - 1, every));
    }

    private static double progress(long step, long steps) {
        return steps == 1 ? 1 : Math.clamp((step - 1) / (double) (steps - 1), 0.0, 1.0);
    }

    private static void checkSteps(long steps) {
        if (steps < 1) {
            throw new IllegalArgumentException("a schedule needs at least 1 step, not " + steps);
        }
    }
}
