package dev.cgan.cli;

import dev.cgan.data.Dataset;
import dev.cgan.data.DatasetProvider;
import dev.cgan.data.Datasets;
import dev.cgan.data.Idx;
import dev.cgan.data.Split;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;

/** The MNIST database of handwritten digits, as resources of this module, so that a first run needs no network. */
public final class BundledMnist implements DatasetProvider {
    /** Creates the provider; {@link java.util.ServiceLoader} does. */
    public BundledMnist() {}

    @Override
    public String name() {
        return "mnist";
    }

    @Override
    public Dataset load(Split split) throws IOException {
        String part = split == Split.TRAIN ? "train" : "t10k";
        String images = part + "-images-idx3-ubyte.gz";
        String labels = part + "-labels-idx1-ubyte.gz";
        try (InputStream imageStream = open(images);
                InputStream labelStream = open(labels)) {
            return Idx.read(name(), imageStream, Path.of(images), labelStream, Path.of(labels), Datasets.DIGITS);
        }
    }

    private static InputStream open(String file) throws IOException {
        InputStream in = BundledMnist.class.getResourceAsStream("mnist/" + file);
        if (in == null) {
            throw new IOException("this build of cgan lacks its resource mnist/" + file + "; build it again");
        }
        return in;
    }
}
