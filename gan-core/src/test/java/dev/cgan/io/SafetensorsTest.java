package dev.cgan.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cgan.testkit.Allocation;
import dev.cgan.testkit.Mutations;
import dev.cgan.testkit.Seeds;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsTest {
    @TempDir
    Path folder;

    @Test
    void everyTypeComesBackBitForBit() throws IOException {
        Path path = folder.resolve("all.safetensors");
        String note = "line\nbreak \"quoted\" \u00e9";
        new SafetensorsWriter()
                .metadata("note", note)
                .add("floats", new long[] {2, 3}, new float[] {0f, -0f, Float.NaN, Float.MIN_VALUE, 1e38f, -1f / 0f})
                .add("doubles", new long[] {}, new double[] {Math.PI})
                .add("ints", new long[] {2}, new int[] {Integer.MIN_VALUE, 7})
                .add("longs", new long[] {1, 1, 1}, new long[] {Long.MIN_VALUE})
                .add("bytes", new long[] {3}, new byte[] {0, -1, 127})
                .add("empty", new long[] {0, 5}, new float[0])
                .write(path);
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            assertThat(file.metadata()).isEqualTo(Map.of("note", note));
            assertThat(file.names()).containsExactly("doubles", "longs", "empty", "floats", "ints", "bytes");
            assertThat(bits(file.floats("floats")))
                    .containsExactly(0, 0x80000000, 0x7fc00000, 1, Float.floatToRawIntBits(1e38f), 0xff800000);
            assertThat(file.doubles("doubles")).containsExactly(Math.PI);
            assertThat(file.ints("ints")).containsExactly(Integer.MIN_VALUE, 7);
            assertThat(file.longs("longs")).containsExactly(Long.MIN_VALUE);
            assertThat(file.bytes("bytes")).containsExactly(0, -1, 127);
            assertThat(file.floats("empty")).isEmpty();
            assertThat(file.entry("floats").shape()).containsExactly(2L, 3L);
            assertThat(file.entry("doubles").elements()).isEqualTo(1);
        }
    }

    @Test
    void randomFilesRoundTripAndDoNotDependOnTheOrderOfAdding() throws IOException {
        Random random = Seeds.random("SafetensorsTest.roundTrip");
        for (int round = 0; round < 50; round++) {
            List<float[]> values = new ArrayList<>();
            List<Integer> order = new ArrayList<>();
            for (int i = random.nextInt(6); i >= 0; i--) {
                float[] data = new float[random.nextInt(600_000 / (1 + random.nextInt(50)))];
                for (int j = 0; j < data.length; j += 1 + random.nextInt(3)) {
                    data[j] = random.nextFloat();
                }
                order.add(values.size());
                values.add(data);
            }
            Path first = write("first", values, order);
            Collections.shuffle(order, random);
            Path second = write("second", values, order);
            assertThat(Files.mismatch(first, second)).isEqualTo(-1);
            try (SafetensorsFile file = SafetensorsFile.open(first)) {
                for (int i = 0; i < values.size(); i++) {
                    assertThat(Arrays.equals(file.floats("t" + i), values.get(i)))
                            .isTrue();
                }
            }
        }
    }

    @Test
    void headerIsPaddedAndEveryTensorAligned() throws IOException {
        for (int length = 1; length <= 17; length++) {
            Path path = folder.resolve("aligned.safetensors");
            new SafetensorsWriter()
                    .add("b", new long[] {3}, new byte[3])
                    .add("x".repeat(length), new long[] {1}, new float[1])
                    .add("d", new long[] {1}, new double[1])
                    .write(path);
            byte[] bytes = Files.readAllBytes(path);
            long header = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
            assertThat(header % 8).isZero();
            try (SafetensorsFile file = SafetensorsFile.open(path)) {
                for (String name : file.names()) {
                    SafetensorsEntry entry = file.entry(name);
                    assertThat((8 + header + entry.begin()) % entry.type().bytes())
                            .as(name)
                            .isZero();
                }
            }
        }
    }

    @Test
    void tensorsStreamPieceByPiece() throws IOException {
        Path path = folder.resolve("streamed.safetensors");
        float[] large = new float[700_001];
        for (int i = 0; i < large.length; i++) {
            large[i] = i;
        }
        List<Long> written = new ArrayList<>();
        new SafetensorsWriter()
                .add("large", DType.F32, new long[] {large.length}, (at, chunk) -> {
                    written.add(at);
                    chunk.asFloatBuffer().put(large, (int) (at / 4), chunk.remaining() / 4);
                })
                .write(path);
        assertThat(written).containsExactly(0L, 1L << 20, 2L << 20);
        List<Long> read = new ArrayList<>();
        float[] back = new float[large.length];
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            file.stream("large", (at, chunk) -> {
                read.add(at);
                chunk.asFloatBuffer().get(back, (int) (at / 4), chunk.remaining() / 4);
            });
        }
        assertThat(read).isEqualTo(written);
        assertThat(Arrays.equals(back, large)).isTrue();
    }

    @Test
    void aSourceThatFailsLeavesNoFile() throws IOException {
        SafetensorsWriter broken = new SafetensorsWriter().add("w", DType.F32, new long[] {4}, (at, chunk) -> {
            throw new IllegalStateException("gone");
        });
        assertThatIllegalStateException()
                .isThrownBy(() -> broken.write(folder.resolve("broken.safetensors")))
                .withMessage("gone");
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void readsIntoNativeMemory() throws IOException {
        Path path = folder.resolve("native.safetensors");
        float[] values = new float[600_000];
        for (int i = 0; i < values.length; i++) {
            values[i] = i * 0.5f;
        }
        new SafetensorsWriter().add("w", new long[] {600, 1000}, values).write(path);
        try (SafetensorsFile file = SafetensorsFile.open(path);
                Arena arena = Arena.ofConfined()) {
            MemorySegment segment = arena.allocate(4L * values.length, 4);
            file.read("w", segment);
            assertThat(Arrays.equals(segment.toArray(ValueLayout.JAVA_FLOAT), values))
                    .isTrue();
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> file.read("w", arena.allocate(8)))
                    .withMessageContaining("w F32[600, 1000] has 2400000 bytes, the destination 8");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{}x | 0 | header is not valid JSON: Unrecognized token 'x'",
                "[] | 0 | its header does not begin with '{'",
                "{'a':1} | 0 | tensor 'a' is not a JSON object",
                "{'a':{'dtype':'F32','shape':[1]}} | 4 | tensor 'a' has the fields [dtype, shape]",
                "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4],'x':0}} | 4 | has the fields",
                "{'a':{'dtype':'F31','shape':[1],'data_offsets':[0,4]}} | 4 | has the unknown dtype 'F31'",
                "{'a':{'dtype':'F32','shape':[-1],'data_offsets':[0,4]}} | 4 | shape holds -1, not a whole number",
                "{'a':{'dtype':'F32','shape':[1.0],'data_offsets':[0,4]}} | 4 | shape holds 1.0, not a whole number",
                "{'a':{'dtype':'F32','shape':1,'data_offsets':[0,4]}} | 4 | shape is not a list",
                "{'a':{'dtype':'F32','shape':[1],'data_offsets':[4,0]}} | 4 | data_offsets [4, 0], not [begin, end]",
                "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0]}} | 4 | data_offsets [0], not [begin, end]",
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,4]}} | 4 | takes 8 bytes, but its data_offsets",
                "{'a':{'dtype':'F4','shape':[3],'data_offsets':[0,1]}} | 1 | does not fill whole bytes",
                "{'a':{'dtype':'F32','shape':[4294967296,4294967296],'data_offsets':[0,4]}} | 4 | overflows",
                "{'a':{'dtype':'F32','shape':[99999999999999999999],'data_offsets':[0,4]}} | 4 | not valid JSON",
                "{'a':{'dtype':'U8','shape':[4],'data_offsets':[1,5]}} | 5 | begins at byte 1, after a gap, which ends at 0",
                "{'a':{'dtype':'U8','shape':[4],'data_offsets':[0,4]}} | 3 | truncated: its tensors take 4 bytes, 3 are there",
                "{'a':{'dtype':'U8','shape':[4],'data_offsets':[0,4]}} | 6 | oversized: 2 bytes follow the last tensor",
                "{'__metadata__':{'a':1}} | 0 | __metadata__ 'a' is not a string",
                "{'__metadata__':[]} | 0 | __metadata__ is not a JSON object",
                "{'a':{},'a':{}} | 0 | duplicate name 'a' at line 1",
            })
    void refusesHeadersThatLie(String header, int dataBytes, String message) throws IOException {
        Path path = file(header.replace('\'', '"'), dataBytes);
        assertThatThrownBy(() -> SafetensorsFile.open(path))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageStartingWith(path + ": ")
                .hasMessageEndingWith("; copy or write the file again")
                .satisfies(e -> assertThat(e.getMessage().replace('"', '\'')).contains(message));
    }

    @Test
    void refusesOverlaps() throws IOException {
        Path path = file(
                "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
                        + "\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[2,6]}}",
                6);
        refused(path, "tensor \"b\" begins at byte 2, inside the previous one, which ends at 4");
    }

    @Test
    void refusesFilesOfOtherKinds() throws IOException {
        Path path = folder.resolve("x");
        Files.write(path, new byte[7]);
        refused(path, path + ": truncated: 7 bytes, a safetensors file has at least 10; copy or write the file again");
        Files.write(path, "PK\3\4 this is a zip file".getBytes(StandardCharsets.ISO_8859_1));
        refused(path, "not a safetensors file: its first 8 bytes give a header of ");
        Files.write(path, prefix(99_999_999, 9).array());
        refused(path, "truncated: header of 99999999 bytes, file of 9");
        Files.write(path, prefix(2, 10).put((byte) '{').put((byte) 0xff).array());
        refused(path, "its header is not UTF-8");
        refused(folder, "it is a folder, not a safetensors file; name the file itself");
        refused(folder.resolve("absent"), "no such file; check the path");
    }

    @Test
    void refusesUnsupportedTypesByNameAndSuggestsNames() throws IOException {
        Path path = file("{\"w\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4);
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            assertThatThrownBy(() -> file.floats("w"))
                    .hasMessage(path + ": tensor w BF16[2] has the type BF16, which is not supported; "
                            + "convert it to F32, F64, I32, I64 or U8");
            assertThatThrownBy(() -> file.floats("w1"))
                    .hasMessage(path + ": no tensor named w1 (nearest: w); check that it is the right kind of file");
        }
        Path ints = folder.resolve("ints.safetensors");
        new SafetensorsWriter().add("w", new long[] {1}, new int[1]).write(ints);
        try (SafetensorsFile file = SafetensorsFile.open(ints)) {
            assertThatThrownBy(() -> file.floats("w")).hasMessageContaining("tensor w I32[1] was expected as F32");
        }
    }

    @Test
    void noticesAFileThatShrinksWhileOpen() throws IOException {
        Path path = folder.resolve("shrinks.safetensors");
        new SafetensorsWriter().add("w", new long[] {1000}, new float[1000]).write(path);
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            Files.write(path, new byte[100]);
            assertThatThrownBy(() -> file.floats("w"))
                    .isInstanceOf(InvalidFileException.class)
                    .hasMessageContaining("truncated while it was being read");
        }
    }

    @Test
    void writerRefusesMisuse() {
        SafetensorsWriter writer = new SafetensorsWriter().metadata("k", "v").add("a", new long[] {1}, new float[1]);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> writer.add("a", new long[] {1}, new float[1]))
                .withMessage("tensor a was already added");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> writer.metadata("k", "w"))
                .withMessage("metadata k was already added");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> writer.add("__metadata__", new long[] {1}, new float[1]))
                .withMessage("a tensor cannot be named __metadata__");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> writer.add("b", DType.F16, new long[] {1}, (at, chunk) -> {}))
                .withMessage("tensor b: cannot write the type F16");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> writer.add("b", new long[] {-1}, new float[1]))
                .withMessage("tensor b: negative shape [-1]");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> writer.add("b", DType.F64, new long[] {1L << 31, 1L << 31}, (at, chunk) -> {}))
                .withMessageContaining("overflows");
    }

    @Test
    void mutatedFilesAreReadOrRefusedAndNeverMore() throws IOException {
        Random random = Seeds.random("SafetensorsTest.fuzz");
        Path path = folder.resolve("fuzz.safetensors");
        new SafetensorsWriter()
                .metadata("model", "cgan")
                .add("g.dense.weight", new long[] {4, 8}, new float[32])
                .add("g.dense.bias", new long[] {8}, new float[8])
                .add("labels", new long[] {3}, new long[] {1, 2, 3})
                .write(path);
        byte[] original = Files.readAllBytes(path);
        int valid = 0;
        int refused = 0;
        for (int round = 0; round < 4000; round++) {
            Files.write(path, Mutations.mutate(original, random));
            long before = Allocation.bytes();
            try (SafetensorsFile file = SafetensorsFile.open(path)) {
                for (String name : file.names()) {
                    readAny(file, name);
                }
                valid++;
            } catch (InvalidFileException e) {
                assertThat(e.getMessage()).startsWith(path + ": ");
                refused++;
            }
            assertThat(Allocation.bytes() - before).isLessThan(4L << 20);
        }
        assertThat(valid).isPositive();
        assertThat(refused).isGreaterThan(1000);
    }

    private static void readAny(SafetensorsFile file, String name) throws IOException {
        switch (file.entry(name).type()) {
            case F64 -> file.doubles(name);
            case I32 -> file.ints(name);
            case I64 -> file.longs(name);
            case U8 -> file.bytes(name);
            default -> file.floats(name);
        }
    }

    private Path write(String name, List<float[]> values, List<Integer> order) throws IOException {
        SafetensorsWriter writer = new SafetensorsWriter();
        for (int i : order) {
            writer.add("t" + i, new long[] {values.get(i).length}, values.get(i))
                    .metadata("m" + i, "x");
        }
        Path path = folder.resolve(name);
        writer.write(path);
        return path;
    }

    private Path file(String header, int dataBytes) throws IOException {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        Path path = folder.resolve("made.safetensors");
        Files.write(
                path, prefix(json.length, 8 + json.length + dataBytes).put(json).array());
        return path;
    }

    private static ByteBuffer prefix(long headerBytes, int fileBytes) {
        return ByteBuffer.allocate(fileBytes).order(ByteOrder.LITTLE_ENDIAN).putLong(headerBytes);
    }

    private static void refused(Path path, String message) {
        assertThatThrownBy(() -> SafetensorsFile.open(path))
                .isInstanceOf(InvalidFileException.class)
                .hasMessageContaining(message);
    }

    private static int[] bits(float[] values) {
        int[] bits = new int[values.length];
        Arrays.setAll(bits, i -> Float.floatToRawIntBits(values[i]));
        return bits;
    }
}
