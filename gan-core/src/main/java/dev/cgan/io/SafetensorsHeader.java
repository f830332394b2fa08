package dev.cgan.io;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The parsed and verified header of a safetensors file: every tensor's bytes lie inside the file, no two overlap, and
 * none are left over.
 *
 * @param metadata the {@code __metadata__} strings, in document order
 * @param entries the tensors by name, in the order of their bytes
 */
record SafetensorsHeader(Map<String, String> metadata, Map<String, SafetensorsEntry> entries) {
    static final String METADATA = "__metadata__";
    private static final String REMEDY = "copy or write the file again";
    private static final Set<String> FIELDS = Set.of("dtype", "shape", "data_offsets");

    /**
     * Parses a header.
     *
     * @param path the file, for messages
     * @param bytes the header without its length
     * @param dataBytes the number of bytes after the header
     */
    static SafetensorsHeader parse(Path path, byte[] bytes, long dataBytes) throws InvalidFileException {
        return new Parser(path, dataBytes).parse(bytes);
    }

    private record Parser(Path path, long dataBytes) {
        SafetensorsHeader parse(byte[] bytes) throws InvalidFileException {
            if (bytes.length == 0 || bytes[0] != '{') {
                throw invalid("its header does not begin with '{'");
            }
            Map<String, String> metadata = Map.of();
            List<SafetensorsEntry> entries = new ArrayList<>();
            for (var field : object(tree(bytes), "the header").entrySet()) {
                if (field.getKey().equals(METADATA)) {
                    metadata = metadata(field.getValue());
                } else {
                    entries.add(entry(field.getKey(), field.getValue()));
                }
            }
            entries.sort(Comparator.comparingLong(SafetensorsEntry::begin).thenComparingLong(SafetensorsEntry::end));
            checkCoverage(entries);
            Map<String, SafetensorsEntry> byName = new LinkedHashMap<>();
            entries.forEach(entry -> byName.put(entry.name(), entry));
            return new SafetensorsHeader(metadata, byName);
        }

        private Object tree(byte[] bytes) throws InvalidFileException {
            try {
                String text = StandardCharsets.UTF_8
                        .newDecoder()
                        .decode(ByteBuffer.wrap(bytes))
                        .toString();
                return Json.parse(text);
            } catch (CharacterCodingException e) {
                throw new InvalidFileException(path, "its header is not UTF-8", REMEDY, e);
            } catch (Json.SyntaxException e) {
                throw new InvalidFileException(path, "its header is not valid JSON: " + e.getMessage(), REMEDY, e);
            }
        }

        private Map<String, String> metadata(Object value) throws InvalidFileException {
            Map<String, String> metadata = new LinkedHashMap<>();
            for (var field : object(value, METADATA).entrySet()) {
                if (!(field.getValue() instanceof String text)) {
                    throw invalid(METADATA + " " + quote(field.getKey()) + " is not a string");
                }
                metadata.put(field.getKey(), text);
            }
            return metadata;
        }

        private SafetensorsEntry entry(String name, Object value) throws InvalidFileException {
            String what = "tensor " + quote(name);
            Map<String, Object> fields = object(value, what);
            if (!fields.keySet().equals(FIELDS)) {
                throw invalid(what + " has the fields " + fields.keySet() + " instead of dtype, shape, data_offsets");
            }
            DType type = DType.of(String.valueOf(fields.get("dtype")))
                    .orElseThrow(() -> invalid(what + " has the unknown dtype " + Json.write(fields.get("dtype"))));
            List<Long> shape = naturals(fields.get("shape"), what + " shape");
            List<Long> offsets = naturals(fields.get("data_offsets"), what + " data_offsets");
            if (offsets.size() != 2 || offsets.get(0) > offsets.get(1)) {
                throw invalid(what + " has data_offsets " + offsets + ", not [begin, end]");
            }
            var entry = new SafetensorsEntry(name, type, shape, offsets.get(0), offsets.get(1));
            long bytes = byteSize(entry, what);
            if (entry.byteSize() != bytes) {
                throw invalid(what + " " + type + shape + " takes " + bytes + " bytes, but its data_offsets " + offsets
                        + " hold " + entry.byteSize());
            }
            return entry;
        }

        private long byteSize(SafetensorsEntry entry, String what) throws InvalidFileException {
            // A zero anywhere makes the tensor empty, however large the product of the other extents.
            if (entry.shape().contains(0L)) {
                return 0;
            }
            try {
                long bits = entry.type().bits();
                for (long extent : entry.shape()) {
                    bits = Math.multiplyExact(bits, extent);
                }
                if (bits % 8 != 0) {
                    throw invalid(what + " " + entry.type() + entry.shape() + " does not fill whole bytes");
                }
                return bits / 8;
            } catch (ArithmeticException e) {
                throw new InvalidFileException(path, what + " shape " + entry.shape() + " overflows", REMEDY, e);
            }
        }

        private void checkCoverage(List<SafetensorsEntry> entries) throws InvalidFileException {
            long end = 0;
            for (SafetensorsEntry entry : entries) {
                if (entry.begin() != end) {
                    throw invalid("tensor " + quote(entry.name()) + " begins at byte " + entry.begin()
                            + (entry.begin() < end ? ", inside the previous one" : ", after a gap")
                            + ", which ends at " + end);
                }
                end = entry.end();
            }
            if (end > dataBytes) {
                throw invalid("truncated: its tensors take " + end + " bytes, " + dataBytes + " are there");
            }
            if (end < dataBytes) {
                throw invalid("oversized: " + (dataBytes - end) + " bytes follow the last tensor");
            }
        }

        private List<Long> naturals(Object value, String what) throws InvalidFileException {
            if (!(value instanceof List<?> items)) {
                throw invalid(what + " is not a list");
            }
            List<Long> numbers = new ArrayList<>();
            for (Object item : items) {
                if (!(item instanceof Long number) || number < 0) {
                    throw invalid(what + " holds " + Json.write(item) + ", not a whole number from 0");
                }
                numbers.add(number);
            }
            return numbers;
        }

        @SuppressWarnings("unchecked") // Json's objects have string keys.
        private Map<String, Object> object(Object value, String what) throws InvalidFileException {
            if (!(value instanceof Map<?, ?>)) {
                throw invalid(what + " is not a JSON object");
            }
            return (Map<String, Object>) value;
        }

        private InvalidFileException invalid(String what) {
            return new InvalidFileException(path, what, REMEDY);
        }

        private static String quote(String name) {
            // A hostile name can be megabytes long; a message should not be.
            return Json.write(name.length() <= 100 ? name : name.substring(0, 100) + "...");
        }
    }
}
