package dev.cgan.io;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.Map;
import java.util.Set;

/**
 * A safetensors file opened for reading: eight bytes of little-endian header length, a JSON header, then the tensors'
 * bytes, little-endian, row-major.
 *
 * <p>{@link #open} verifies the whole header against the size of the file, so what it returns is complete. Tensors are
 * read when asked for. The file is read, not mapped: should another process truncate it meanwhile, that is an exception
 * here, where a mapping would kill the JVM's thread. Instances may be used by one thread at a time.
 *
 * <p>Format: <a href="https://github.com/huggingface/safetensors">huggingface/safetensors</a>.
 */
public final class SafetensorsFile implements AutoCloseable {
    /** The longest header that the format allows, in bytes. */
    public static final long MAX_HEADER_BYTES = 100_000_000;

    private static final int CHUNK_BYTES = 1 << 20;
    private static final String REMEDY = "copy or write the file again";

    private final Path path;
    private final FileChannel channel;
    private final SafetensorsHeader header;
    private final long dataStart;

    private SafetensorsFile(Path path, FileChannel channel, SafetensorsHeader header, long dataStart) {
        this.path = path;
        this.channel = channel;
        this.header = header;
        this.dataStart = dataStart;
    }

    /**
     * Opens a file and verifies its header.
     *
     * @param path the file
     * @return the open file, to be closed by the caller
     * @throws InvalidFileException if the file is missing or breaks any rule of the format
     * @throws IOException if reading fails
     */
    public static SafetensorsFile open(Path path) throws IOException {
        if (Files.isDirectory(path)) {
            throw new InvalidFileException(path, "it is a folder, not a safetensors file", "name the file itself");
        }
        FileChannel channel;
        try {
            channel = FileChannel.open(path, StandardOpenOption.READ);
        } catch (NoSuchFileException e) {
            throw new InvalidFileException(path, "no such file", "check the path", e);
        }
        try {
            long size = channel.size();
            if (size < 8) {
                throw invalid(path, "truncated: " + size + " bytes, a safetensors file has at least 10");
            }
            long length =
                    read(path, channel, 0, 8).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
            if (length < 0 || length > MAX_HEADER_BYTES) {
                throw invalid(
                        path,
                        "not a safetensors file: its first 8 bytes give a header of " + Long.toUnsignedString(length)
                                + " bytes, at most " + MAX_HEADER_BYTES + " are allowed");
            }
            if (length > size - 8) {
                throw invalid(path, "truncated: header of " + length + " bytes, file of " + size);
            }
            byte[] bytes = read(path, channel, 8, (int) length).array();
            var header = SafetensorsHeader.parse(path, bytes, size - 8 - length);
            return new SafetensorsFile(path, channel, header, 8 + length);
        } catch (IOException | RuntimeException | Error e) {
            channel.close();
            throw e;
        }
    }

    /** {@return the file's path as it was given} */
    public Path path() {
        return path;
    }

    /** {@return the header's metadata, in document order; unmodifiable} */
    public Map<String, String> metadata() {
        return Collections.unmodifiableMap(header.metadata());
    }

    /** {@return the names of the tensors, in the order of their bytes; unmodifiable} */
    public Set<String> names() {
        return Collections.unmodifiableSet(header.entries().keySet());
    }

    /**
     * Describes a tensor.
     *
     * @param name its name
     * @return its type, shape and place
     * @throws InvalidFileException if the file has no such tensor
     */
    public SafetensorsEntry entry(String name) throws InvalidFileException {
        SafetensorsEntry entry = header.entries().get(name);
        if (entry == null) {
            String nearest = Suggestions.nearest(name, header.entries().keySet())
                    .map(near -> " (nearest: " + near + ")")
                    .orElse("");
            throw new InvalidFileException(
                    path, "no tensor named " + name + nearest, "check that it is the right kind of file");
        }
        return entry;
    }

    /**
     * Reads a tensor of type F32.
     *
     * @param name its name
     * @return its elements, row-major
     * @throws InvalidFileException if there is none of that name and type
     * @throws IOException if reading fails
     */
    public float[] floats(String name) throws IOException {
        float[] values = new float[elements(name, DType.F32)];
        stream(name, (at, chunk) -> chunk.asFloatBuffer().get(values, (int) (at / 4), chunk.remaining() / 4));
        return values;
    }

    /**
     * Reads a tensor of type F64.
     *
     * @param name its name
     * @return its elements, row-major
     * @throws InvalidFileException if there is none of that name and type
     * @throws IOException if reading fails
     */
    public double[] doubles(String name) throws IOException {
        double[] values = new double[elements(name, DType.F64)];
        stream(name, (at, chunk) -> chunk.asDoubleBuffer().get(values, (int) (at / 8), chunk.remaining() / 8));
        return values;
    }

    /**
     * Reads a tensor of type I32.
     *
     * @param name its name
     * @return its elements, row-major
     * @throws InvalidFileException if there is none of that name and type
     * @throws IOException if reading fails
     */
    public int[] ints(String name) throws IOException {
        int[] values = new int[elements(name, DType.I32)];
        stream(name, (at, chunk) -> chunk.asIntBuffer().get(values, (int) (at / 4), chunk.remaining() / 4));
        return values;
    }

    /**
     * Reads a tensor of type I64.
     *
     * @param name its name
     * @return its elements, row-major
     * @throws InvalidFileException if there is none of that name and type
     * @throws IOException if reading fails
     */
    public long[] longs(String name) throws IOException {
        long[] values = new long[elements(name, DType.I64)];
        stream(name, (at, chunk) -> chunk.asLongBuffer().get(values, (int) (at / 8), chunk.remaining() / 8));
        return values;
    }

    /**
     * Reads a tensor of type U8.
     *
     * @param name its name
     * @return its elements, row-major
     * @throws InvalidFileException if there is none of that name and type
     * @throws IOException if reading fails
     */
    public byte[] bytes(String name) throws IOException {
        byte[] values = new byte[elements(name, DType.U8)];
        stream(name, (at, chunk) -> chunk.get(values, (int) at, chunk.remaining()));
        return values;
    }

    /**
     * Copies a tensor of a supported type into memory, in the file's little-endian byte order.
     *
     * @param name its name
     * @param destination as many bytes as the tensor has
     * @throws InvalidFileException if there is none of that name
     * @throws IllegalArgumentException if the destination is of another size
     * @throws IOException if reading fails
     */
    public void read(String name, MemorySegment destination) throws IOException {
        SafetensorsEntry entry = entry(name);
        requireSupported(entry);
        if (destination.byteSize() != entry.byteSize()) {
            throw new IllegalArgumentException(path + ": " + entry + " has " + entry.byteSize()
                    + " bytes, the destination " + destination.byteSize());
        }
        stream(
                name,
                (at, chunk) ->
                        MemorySegment.copy(MemorySegment.ofBuffer(chunk), 0, destination, at, chunk.remaining()));
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    /** Takes the bytes of a tensor while it is being read. */
    @FunctionalInterface
    public interface Sink {
        /**
         * Takes the next bytes.
         *
         * @param at the offset of these bytes in the tensor, a multiple of the element size; calls come in order
         * @param chunk from its position to its limit, little-endian, whole elements; reused after the call
         */
        void accept(long at, ByteBuffer chunk);
    }

    /**
     * Reads a tensor of any type piece by piece: for tensors that shall not be on the heap as a whole.
     *
     * @param name its name
     * @param sink called for each piece
     * @throws InvalidFileException if there is none of that name
     * @throws IOException if reading fails
     */
    public void stream(String name, Sink sink) throws IOException {
        SafetensorsEntry entry = entry(name);
        ByteBuffer buffer = ByteBuffer.allocate((int) Math.min(CHUNK_BYTES, entry.byteSize()));
        buffer.order(ByteOrder.LITTLE_ENDIAN);
        for (long at = 0; at < entry.byteSize(); at += buffer.limit()) {
            buffer.clear().limit((int) Math.min(buffer.capacity(), entry.byteSize() - at));
            fill(path, channel, dataStart + entry.begin() + at, buffer);
            sink.accept(at, buffer);
        }
    }

    private int elements(String name, DType type) throws IOException {
        SafetensorsEntry entry = entry(name);
        requireSupported(entry);
        if (entry.type() != type) {
            throw new InvalidFileException(
                    path, "tensor " + entry + " was expected as " + type, "check that it is the right kind of file");
        }
        long elements = entry.byteSize() / type.bytes();
        if (elements > Integer.MAX_VALUE - 8) {
            throw new InvalidFileException(
                    path, "tensor " + entry + " is too large for one Java array", "read it into a memory segment");
        }
        return (int) elements;
    }

    private void requireSupported(SafetensorsEntry entry) throws InvalidFileException {
        if (!entry.type().isSupported()) {
            throw new InvalidFileException(
                    path,
                    "tensor " + entry + " has the type " + entry.type() + ", which is not supported",
                    "convert it to F32, F64, I32, I64 or U8");
        }
    }

    private static ByteBuffer read(Path path, FileChannel channel, long position, int count) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(count);
        fill(path, channel, position, buffer);
        return buffer;
    }

    private static void fill(Path path, FileChannel channel, long position, ByteBuffer buffer) throws IOException {
        long at = position;
        while (buffer.hasRemaining()) {
            int count = channel.read(buffer, at);
            if (count < 0) {
                throw invalid(path, "truncated while it was being read, at byte " + at);
            }
            at += count;
        }
        buffer.flip();
    }

    private static InvalidFileException invalid(Path path, String what) {
        return new InvalidFileException(path, what, REMEDY);
    }
}
