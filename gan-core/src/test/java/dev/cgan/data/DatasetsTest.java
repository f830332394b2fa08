package dev.cgan.data;

import static dev.cgan.testkit.IdxFiles.gzip;
import static dev.cgan.testkit.IdxFiles.idx;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cgan.image.Pixels;
import dev.cgan.io.InvalidFileException;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DatasetsTest {
    @TempDir
    Path folder;

    @Test
    void aNamedDataSetThatIsNotThereSaysWhatToPutWhere() {
        DatasetOptions options = DatasetOptions.defaults().withDataFolder(folder);
        assertThatThrownBy(() -> Datasets.open("fashion-mnist", options))
                .isInstanceOf(InvalidFileException.class)
                .hasMessage(folder.resolve("fashion-mnist")
                        + ": the data set fashion-mnist is not there; put these files of the project "
                        + "zalandoresearch/fashion-mnist (folder data/fashion) into that folder: "
                        + "train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, "
                        + "t10k-images-idx3-ubyte.gz, t10k-labels-idx1-ubyte.gz");
    }

    @Test
    void aNamedDataSetIsFoundInTheDataFolder() throws IOException {
        Path place = Files.createDirectory(folder.resolve("fashion-mnist"));
        writePair(place, "train", 3, "-");
        writePair(place, "t10k", 2, "-");
        DatasetOptions options = DatasetOptions.defaults().withDataFolder(folder);
        Dataset train = Datasets.open("fashion-mnist", options);
        assertThat(train.size()).isEqualTo(3);
        assertThat(train.name()).isEqualTo("fashion-mnist");
        assertThat(train.classNames()).isEqualTo(Datasets.FASHION);
        assertThat(Datasets.open("fashion-mnist", options.withSplit(Split.TEST)).size())
                .isEqualTo(2);
    }

    @Test
    void aFolderWithTheFilesOfMnistIsRecognised() throws IOException {
        writePair(folder, "train", 4, ".");
        assertThat(Datasets.open(folder.toString(), DatasetOptions.defaults()).size())
                .isEqualTo(4);
        Files.delete(folder.resolve("train-labels.idx1-ubyte.gz"));
        assertThatThrownBy(() -> Datasets.open(folder.toString(), DatasetOptions.defaults()))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining("train-labels-idx1-ubyte.gz: no such file beside train-images.idx3-ubyte.gz");
    }

    @Test
    void filesAreImagesOrImagesAndLabels() throws IOException {
        writePair(folder, "train", 5, "-");
        Path images = folder.resolve("train-images-idx3-ubyte.gz");
        Path labels = folder.resolve("train-labels-idx1-ubyte.gz");
        assertThat(Datasets.open(images.toString(), DatasetOptions.defaults()).classes())
                .isEqualTo(1);
        assertThat(Datasets.open(images + "," + labels, DatasetOptions.defaults())
                        .classes())
                .isEqualTo(5);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Datasets.open(
                        images.toString(), DatasetOptions.defaults().withSplit(Split.TEST)))
                .withMessage("data set " + images + " has no separate test images");
    }

    @Test
    void anyDataSetIsResizedOnDemand() throws IOException {
        writePair(folder, "train", 3, "-");
        Dataset dataset = Datasets.open(
                folder.toString(), DatasetOptions.defaults().withImageSize(7).withChannels(3));
        assertThat(List.of(dataset.size(), dataset.height(), dataset.width(), dataset.channels()))
                .containsExactly(3, 7, 7, 3);
        byte[] image = new byte[dataset.imageBytes()];
        dataset.read(2, image, 0);
        assertThat(image).containsOnly(2);
        assertThat(dataset.label(2)).isEqualTo(2);
    }

    @Test
    void folderOfImagesIsOpened() throws IOException {
        Files.createDirectory(folder.resolve("a"));
        ImageIO.write(
                new BufferedImage(9, 9, BufferedImage.TYPE_INT_RGB),
                "png",
                folder.resolve("a/x.png").toFile());
        Dataset dataset = Datasets.open(folder.toString(), DatasetOptions.defaults());
        assertThat(dataset.classNames()).containsExactly("a");
        assertThat(dataset.toString()).endsWith(" (1 images of 9x9x3, 1 classes)");
    }

    @Test
    void unknownNamesAreMetWithSuggestions() {
        assertThatThrownBy(() -> Datasets.open("fashon-mnist", DatasetOptions.defaults()))
                .isInstanceOf(InvalidFileException.class)
                .hasMessage("fashon-mnist: no data set, file or folder of this name; "
                        + "check the path, or did you mean fashion-mnist?");
        assertThatThrownBy(() -> Datasets.open("\0", DatasetOptions.defaults()))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining("not a path");
        assertThat(Datasets.names()).contains("mnist", "fashion-mnist");
    }

    @Test
    void optionsAreChecked() {
        DatasetOptions options = DatasetOptions.defaults();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> options.withImageSize(-1))
                .withMessage("image size -1 is not 0 to 1024");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> options.withChannels(2))
                .withMessage("channels 2 is not 1 or 3");
    }

    @Test
    void anApplicationsOwnImagesAreChecked() {
        Pixels small = new Pixels(2, 2, 1, new byte[] {1, 2, 3, 4});
        MemoryDataset dataset = MemoryDataset.of("mine", List.of(small, small), new int[] {0, 1}, List.of("a", "b"));
        byte[] image = new byte[6];
        dataset.read(1, image, 2);
        assertThat(image).containsExactly(0, 0, 1, 2, 3, 4);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> MemoryDataset.of("mine", List.of(small), new int[] {2}, List.of("a", "b")))
                .withMessage("mine: label 2 of image 0 is out of range, there are 2 classes");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> MemoryDataset.of("mine", List.of(small), new int[] {0, 0}, List.of("a")))
                .withMessage("mine: 2 labels for 1 images");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> MemoryDataset.of("mine", List.of(), new int[0], List.of("a")))
                .withMessage("mine: a data set needs at least one image");
        Pixels other = new Pixels(1, 2, 1, new byte[2]);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> MemoryDataset.of("mine", List.of(small, other), new int[2], List.of("a")))
                .withMessage("mine: images differ in size, 2x2x1 and 1x2x1");
    }

    private static void writePair(Path place, String part, int count, String separator) throws IOException {
        byte[] pixels = new byte[count * 9];
        byte[] labels = new byte[count];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (byte) (i / 9);
            labels[i / 9] = (byte) (i / 9);
        }
        Files.write(
                place.resolve(part + "-images" + separator + "idx3-ubyte.gz"), gzip(idx(0x803, pixels, count, 3, 3)));
        Files.write(place.resolve(part + "-labels" + separator + "idx1-ubyte.gz"), gzip(idx(0x801, labels, count)));
    }
}
