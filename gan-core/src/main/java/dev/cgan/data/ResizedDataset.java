package dev.cgan.data;

import dev.cgan.image.Pixels;
import dev.cgan.image.Resampler;
import java.util.Arrays;

/** Makes a copy of a data set with another size or number of channels. */
final class ResizedDataset {
    private ResizedDataset() {}

    static Dataset of(Dataset source, int imageSize, int channels) {
        int depth = channels > 0 ? channels : source.channels();
        boolean sameSize = imageSize == 0 || (source.height() == imageSize && source.width() == imageSize);
        if (sameSize && depth == source.channels()) {
            return source;
        }
        PixelStore pixels = new PixelStore();
        byte[] buffer = new byte[source.imageBytes()];
        int[] labels = new int[source.size()];
        Arrays.setAll(labels, source::label);
        int height = imageSize > 0 ? imageSize : source.height();
        int width = imageSize > 0 ? imageSize : source.width();
        for (int row = 0; row < source.size(); row++) {
            source.read(row, buffer, 0);
            Pixels image = new Pixels(source.height(), source.width(), source.channels(), buffer);
            Pixels scaled = imageSize > 0 ? Resampler.square(image, imageSize) : image;
            pixels.append(scaled.withChannels(depth).data());
        }
        return new MemoryDataset(source.name(), height, width, depth, source.classNames(), pixels, labels);
    }
}
