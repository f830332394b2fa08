package dev.cgan.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Collects tensors and metadata, then writes them as one safetensors file, atomically.
 *
 * <p>The same content gives the same bytes, in whatever order it was added: metadata is sorted by key, tensors by
 * descending element size and then by name, so that each lies at a multiple of its element size. The header is padded
 * with spaces to a multiple of eight bytes. Tensors stream through one small buffer; arrays are referenced, not copied,
 * and must not change before {@link #write} returns.
 */
public final class SafetensorsWriter {
    private static final int CHUNK_BYTES = 1 << 20;

    private final Map<String, String> metadata = new TreeMap<>();
    private final Map<String, Tensor> tensors = new LinkedHashMap<>();

    /** Creates a writer without tensors. */
    public SafetensorsWriter() {}

    /** Supplies the bytes of a tensor while it is being written. */
    @FunctionalInterface
    public interface Source {
        /**
         * Supplies the next bytes.
         *
         * @param at the offset of these bytes in the tensor, a multiple of the element size; calls come in order
         * @param chunk to be filled from its position to its limit, little-endian, whole elements
         */
        void fill(long at, ByteBuffer chunk);
    }

    private record Tensor(String name, DType type, long[] shape, long elements, Source source) {
        long bytes() {
            return elements * type.bytes();
        }
    }

    /**
     * Adds a string to the header's metadata.
     *
     * @param key its name, unique
     * @param value its text
     * @return this
     * @throws IllegalArgumentException if the key is taken
     */
    public SafetensorsWriter metadata(String key, String value) {
        if (metadata.putIfAbsent(key, value) != null) {
            throw new IllegalArgumentException("metadata " + key + " was already added");
        }
        return this;
    }

    /**
     * Adds strings to the header's metadata.
     *
     * @param entries names and texts
     * @return this
     * @throws IllegalArgumentException if a key is taken
     */
    public SafetensorsWriter metadata(Map<String, String> entries) {
        entries.forEach(this::metadata);
        return this;
    }

    /**
     * Adds a tensor of type F32.
     *
     * @param name its name, unique
     * @param shape its dimensions, outermost first
     * @param values as many elements as the shape has, row-major
     * @return this
     * @throws IllegalArgumentException if the name is taken or the count differs
     */
    public SafetensorsWriter add(String name, long[] shape, float[] values) {
        requireCount(name, shape, values.length);
        return add(
                name,
                DType.F32,
                shape,
                (at, chunk) -> chunk.asFloatBuffer().put(values, (int) (at / 4), chunk.remaining() / 4));
    }

    /**
     * Adds a tensor of type F64.
     *
     * @param name its name, unique
     * @param shape its dimensions, outermost first
     * @param values as many elements as the shape has, row-major
     * @return this
     * @throws IllegalArgumentException if the name is taken or the count differs
     */
    public SafetensorsWriter add(String name, long[] shape, double[] values) {
        requireCount(name, shape, values.length);
        return add(
                name,
                DType.F64,
                shape,
                (at, chunk) -> chunk.asDoubleBuffer().put(values, (int) (at / 8), chunk.remaining() / 8));
    }

    /**
     * Adds a tensor of type I32.
     *
     * @param name its name, unique
     * @param shape its dimensions, outermost first
     * @param values as many elements as the shape has, row-major
     * @return this
     * @throws IllegalArgumentException if the name is taken or the count differs
     */
    public SafetensorsWriter add(String name, long[] shape, int[] values) {
        requireCount(name, shape, values.length);
        return add(
                name,
                DType.I32,
                shape,
                (at, chunk) -> chunk.asIntBuffer().put(values, (int) (at / 4), chunk.remaining() / 4));
    }

    /**
     * Adds a tensor of type I64.
     *
     * @param name its name, unique
     * @param shape its dimensions, outermost first
     * @param values as many elements as the shape has, row-major
     * @return this
     * @throws IllegalArgumentException if the name is taken or the count differs
     */
    public SafetensorsWriter add(String name, long[] shape, long[] values) {
        requireCount(name, shape, values.length);
        return add(
                name,
                DType.I64,
                shape,
                (at, chunk) -> chunk.asLongBuffer().put(values, (int) (at / 8), chunk.remaining() / 8));
    }

    /**
     * Adds a tensor of type U8.
     *
     * @param name its name, unique
     * @param shape its dimensions, outermost first
     * @param values as many elements as the shape has, row-major
     * @return this
     * @throws IllegalArgumentException if the name is taken or the count differs
     */
    public SafetensorsWriter add(String name, long[] shape, byte[] values) {
        requireCount(name, shape, values.length);
        return add(name, DType.U8, shape, (at, chunk) -> chunk.put(values, (int) at, chunk.remaining()));
    }

    /**
     * Adds a tensor that a source streams.
     *
     * @param name its name, unique
     * @param type a supported type
     * @param shape its dimensions, outermost first
     * @param source supplies its bytes while {@link #write} runs
     * @return this
     * @throws IllegalArgumentException if the name is taken or reserved, the type unsupported or the shape invalid
     */
    public SafetensorsWriter add(String name, DType type, long[] shape, Source source) {
        if (name.equals(SafetensorsHeader.METADATA)) {
            throw new IllegalArgumentException("a tensor cannot be named " + name);
        }
        if (!type.isSupported()) {
            throw new IllegalArgumentException("tensor " + name + ": cannot write the type " + type);
        }
        Tensor tensor = new Tensor(name, type, shape.clone(), elements(name, shape, type), source);
        if (tensors.putIfAbsent(name, tensor) != null) {
            throw new IllegalArgumentException("tensor " + name + " was already added");
        }
        return this;
    }

    /**
     * Writes the file, atomically.
     *
     * @param path the file; its folder must exist; an existing file is replaced
     * @throws FileWriteException if the file system refuses; a full disk names the bytes needed and free
     * @throws IOException if writing fails otherwise
     */
    public void write(Path path) throws IOException {
        List<Tensor> ordered = new ArrayList<>(tensors.values());
        ordered.sort(Comparator.comparingInt((Tensor t) -> -t.type().bytes()).thenComparing(Tensor::name));
        byte[] header = header(ordered);
        long size = 8 + header.length;
        for (Tensor tensor : ordered) {
            size = Math.addExact(size, tensor.bytes());
        }
        AtomicFiles.write(path, size, channel -> {
            ByteBuffer prefix = ByteBuffer.allocate(8 + header.length).order(ByteOrder.LITTLE_ENDIAN);
            writeFully(channel, prefix.putLong(header.length).put(header).flip());
            ByteBuffer chunk = ByteBuffer.allocate(CHUNK_BYTES).order(ByteOrder.LITTLE_ENDIAN);
            for (Tensor tensor : ordered) {
                write(channel, tensor, chunk);
            }
        });
    }

    private static void write(FileChannel channel, Tensor tensor, ByteBuffer chunk) throws IOException {
        for (long at = 0; at < tensor.bytes(); at += chunk.limit()) {
            chunk.clear().limit((int) Math.min(chunk.capacity(), tensor.bytes() - at));
            tensor.source().fill(at, chunk);
            // Typed views advance their own position, not the buffer's: the whole of it is always meant.
            writeFully(channel, chunk.position(0));
        }
    }

    private static void writeFully(FileChannel channel, ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
    }

    private byte[] header(List<Tensor> ordered) {
        Map<String, Object> fields = new LinkedHashMap<>();
        if (!metadata.isEmpty()) {
            fields.put(SafetensorsHeader.METADATA, metadata);
        }
        long offset = 0;
        for (Tensor tensor : ordered) {
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("dtype", tensor.type().name());
            entry.put("shape", Arrays.stream(tensor.shape()).boxed().toList());
            entry.put("data_offsets", List.of(offset, offset + tensor.bytes()));
            fields.put(tensor.name(), entry);
            offset += tensor.bytes();
        }
        byte[] json = Json.write(fields).getBytes(StandardCharsets.UTF_8);
        byte[] padded = Arrays.copyOf(json, (json.length + 7) & -8);
        Arrays.fill(padded, json.length, padded.length, (byte) ' ');
        if (padded.length > SafetensorsFile.MAX_HEADER_BYTES) {
            throw new IllegalStateException("the header would have " + padded.length + " bytes, at most "
                    + SafetensorsFile.MAX_HEADER_BYTES + " are allowed");
        }
        return padded;
    }

    private static void requireCount(String name, long[] shape, int count) {
        if (elements(name, shape, DType.U8) != count) {
            throw new IllegalArgumentException(
                    "tensor " + name + ": shape " + Arrays.toString(shape) + " does not have " + count + " elements");
        }
    }

    private static long elements(String name, long[] shape, DType type) {
        long product = Arrays.stream(shape).anyMatch(extent -> extent == 0) ? 0 : 1;
        for (long extent : shape) {
            if (extent < 0) {
                throw new IllegalArgumentException("tensor " + name + ": negative shape " + Arrays.toString(shape));
            }
            try {
                product = Math.multiplyExact(product, extent);
                Math.multiplyExact(product, (long) type.bytes());
            } catch (ArithmeticException e) {
                throw new IllegalArgumentException(
                        "tensor " + name + ": shape " + Arrays.toString(shape) + " overflows", e);
            }
        }
        return product;
    }
}
