package dev.cgan.bindings;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What {@code native/include/cgan.h} declares, read by a parser of our own that knows just the strict subset of C that
 * the header is written in, so that an error of jextract or a forgotten run of it shows.
 *
 * @param functions by name, in order
 * @param structs by name, in order
 * @param constants enumerators and integer macros by name
 */
record Header(Map<String, Function> functions, Map<String, Struct> structs, Map<String, Long> constants) {
    /** A type as the ABI sees it. */
    enum Type {
        VOID(0),
        INT32(4),
        INT64(8),
        DOUBLE(8),
        POINTER(8);

        final int bytes;

        Type(int bytes) {
            this.bytes = bytes;
        }
    }

    record Function(String name, Type result, List<Type> parameters) {}

    /** A field; count is 1, or an array's length. */
    record Field(String name, Type type, int count, long offset) {}

    record Struct(String name, List<Field> fields, long bytes) {}

    private static final Pattern FUNCTION = Pattern.compile("CGAN_API ([\\w ]+?\\**)\\s*(cgan_\\w+)\\(([^)]*)\\);");
    private static final Pattern STRUCT = Pattern.compile("typedef struct (cgan_\\w+) \\{([^}]*)\\} (cgan_\\w+);");
    private static final Pattern ENUM = Pattern.compile("enum cgan_\\w+ \\{([^}]*)\\};");
    private static final Pattern MACRO = Pattern.compile("(?m)^#define (CGAN_\\w+) (\\d+)$");
    private static final Pattern DECLARATOR = Pattern.compile("(\\**)(\\w+)(?:\\[(\\d+)\\])?");

    static Header read(Path file) throws IOException {
        String text = Files.readString(file).replaceAll("(?s)/\\*.*?\\*/", " ");
        Map<String, Long> constants = new LinkedHashMap<>();
        MACRO.matcher(text).results().forEach(m -> constants.put(m.group(1), Long.valueOf(m.group(2))));
        String code = text.replaceAll("(?m)^#.*$", "").replaceAll("\\s+", " ");
        Map<String, Function> functions = new LinkedHashMap<>();
        for (Matcher m = FUNCTION.matcher(code); m.find(); ) {
            functions.put(m.group(2), new Function(m.group(2), type(m.group(1)), parameters(m.group(3))));
        }
        Map<String, Struct> structs = new LinkedHashMap<>();
        for (Matcher m = STRUCT.matcher(code); m.find(); ) {
            structs.put(m.group(1), struct(m.group(1), m.group(2)));
        }
        for (Matcher m = ENUM.matcher(code); m.find(); ) {
            for (String enumerator : m.group(1).split(",")) {
                String[] sides = enumerator.split("=");
                constants.put(sides[0].strip(), Long.valueOf(sides[1].strip()));
            }
        }
        long declared = Pattern.compile("CGAN_API ").matcher(code).results().count();
        if (declared != functions.size()) {
            throw new IllegalStateException(
                    "%d of %d functions understood: %s".formatted(functions.size(), declared, functions.keySet()));
        }
        return new Header(functions, structs, constants);
    }

    private static List<Type> parameters(String list) {
        List<Type> types = new ArrayList<>();
        if (!list.strip().equals("void")) {
            for (String parameter : list.split(",")) {
                types.add(type(parameter.strip().replaceAll("\\w+$", "")));
            }
        }
        return types;
    }

    private static Type type(String c) {
        if (c.contains("*")) {
            return Type.POINTER;
        }
        return switch (c.strip()) {
            case "void" -> Type.VOID;
            case "cgan_status", "int32_t", "uint32_t" -> Type.INT32;
            case "int64_t", "uint64_t" -> Type.INT64;
            case "double" -> Type.DOUBLE;
            default -> throw new IllegalStateException("unknown type '" + c + "'");
        };
    }

    /** Lays fields out as the System V ABI does: each at a multiple of its size, the whole at that of the largest. */
    private static Struct struct(String name, String body) {
        List<Field> fields = new ArrayList<>();
        long offset = 0;
        int largest = 1;
        for (String declaration : body.split(";")) {
            if (declaration.isBlank()) {
                continue;
            }
            String[] halves = declaration.strip().split(" ", 2);
            for (String declarator : halves[1].split(",")) {
                Matcher m = DECLARATOR.matcher(declarator.strip());
                if (!m.matches()) {
                    throw new IllegalStateException("unknown declarator '" + declarator + "' in " + name);
                }
                Type type = m.group(1).isEmpty() ? type(halves[0]) : Type.POINTER;
                int count = m.group(3) == null ? 1 : Integer.parseInt(m.group(3));
                offset = roundUp(offset, type.bytes);
                fields.add(new Field(m.group(2), type, count, offset));
                offset += (long) type.bytes * count;
                largest = Math.max(largest, type.bytes);
            }
        }
        return new Struct(name, List.copyOf(fields), roundUp(offset, largest));
    }

    private static long roundUp(long value, int multiple) {
        return (value + multiple - 1) / multiple * multiple;
    }
}
