package dev.cgan.image;

import java.util.List;

/**
 * The curves of a run as one picture: above the losses, below the mean of D(x) and of D(G(z)). Pale: every value; bold:
 * their moving average. The axis of the losses is logarithmic when they span a wide range; rare spikes are cut off at
 * the border rather than allowed to flatten everything else.
 */
public final class LossPlot {
    private static final int WIDTH = 1000;
    private static final int HEIGHT = 760;
    private static final int DISCRIMINATOR = 0x1f6fb4;
    private static final int GENERATOR = 0xdd6b20;

    private LossPlot() {}

    /**
     * Draws the curves.
     *
     * @param title a line above them
     * @param steps the step of each value, ascending
     * @param dLoss the discriminator's loss at each step
     * @param gLoss the generator's loss at each step
     * @param dReal the mean of D(x) at each step
     * @param dFake the mean of D(G(z)) at each step
     * @return the picture; values that are not finite leave a gap
     * @throws IllegalArgumentException if the arrays are not equally long, or the steps not ascending
     */
    public static Canvas draw(
            String title, double[] steps, double[] dLoss, double[] gLoss, double[] dReal, double[] dFake) {
        for (double[] values : List.of(dLoss, gLoss, dReal, dFake)) {
            if (values.length != steps.length) {
                throw new IllegalArgumentException(values.length + " values for " + steps.length + " steps");
            }
        }
        for (int i = 1; i < steps.length; i++) {
            if (!(steps[i] > steps[i - 1])) {
                throw new IllegalArgumentException("step " + steps[i] + " follows step " + steps[i - 1]);
            }
        }
        Canvas canvas = new Canvas(WIDTH, HEIGHT, 0xffffff);
        canvas.text((WIDTH - Canvas.textWidth(title, 2)) / 2, 12, title, 2, 0x202020);
        var losses =
                List.of(new Panel.Curve("d_loss", dLoss, DISCRIMINATOR), new Panel.Curve("g_loss", gLoss, GENERATOR));
        var scores =
                List.of(new Panel.Curve("D(x)", dReal, DISCRIMINATOR), new Panel.Curve("D(G(z))", dFake, GENERATOR));
        new Panel("losses", steps, losses, false).draw(canvas, 0, 36, WIDTH, 400);
        new Panel("what D says", steps, scores, true).draw(canvas, 0, 440, WIDTH, 320);
        return canvas;
    }
}
