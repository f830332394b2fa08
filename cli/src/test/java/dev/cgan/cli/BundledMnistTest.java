package dev.cgan.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cgan.data.Dataset;
import dev.cgan.data.DatasetOptions;
import dev.cgan.data.Datasets;
import dev.cgan.data.Split;
import java.io.IOException;
import java.util.List;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;

class BundledMnistTest {
    @Test
    void mnistIsFoundByNameAndComplete() throws IOException {
        Dataset train = Datasets.open("mnist", DatasetOptions.defaults());
        assertThat(List.of(train.size(), train.height(), train.width(), train.channels(), train.classes()))
                .containsExactly(60_000, 28, 28, 1, 10);
        assertThat(train.classCounts()).containsExactly(5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949);
        Dataset test = Datasets.open("mnist", DatasetOptions.defaults().withSplit(Split.TEST));
        assertThat(test.classCounts()).containsExactly(980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009);
        assertThat(Datasets.names()).startsWith("mnist");
    }

    @Test
    void pixelsAreThoseOfTheDatabase() throws IOException {
        Dataset test = Datasets.open("mnist", DatasetOptions.defaults().withSplit(Split.TEST));
        CRC32 crc = new CRC32();
        byte[] image = new byte[test.imageBytes()];
        for (int row = 0; row < test.size(); row++) {
            test.read(row, image, 0);
            crc.update(image);
        }
        assertThat(crc.getValue()).isEqualTo(0xe4ca5f57L);
    }
}
