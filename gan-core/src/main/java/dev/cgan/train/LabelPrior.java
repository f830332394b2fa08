package dev.cgan.train;

import dev.cgan.data.Dataset;
import dev.cgan.nn.Functional;
import dev.cgan.nn.RandomSource;
import dev.cgan.tensor.Device;
import dev.cgan.tensor.Tensor;
import java.util.Arrays;

/** Draws labels as often as the data has them: each is the label of an image taken at random. */
final class LabelPrior {
    private final Tensor table;

    /**
     * @param dataset the images
     * @param device where labels are drawn; the table of all labels joins its innermost scope
     */
    LabelPrior(Dataset dataset, Device device) {
        int[] labels = new int[dataset.size()];
        Arrays.setAll(labels, dataset::label);
        table = device.ints(labels, labels.length, 1);
    }

    Tensor draw(RandomSource random, String purpose, long n) {
        Tensor rows = random.integers(purpose, 0, table.dim(0), n);
        return Functional.gather(table, rows).reshape(n);
    }
}
