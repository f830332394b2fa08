package dev.cgan.io;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.core.util.Separators;
import com.fasterxml.jackson.core.util.Separators.Spacing;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * JSON and YAML as trees of plain Java values: {@code Map<String, Object>} in document order, {@code List<Object>},
 * {@code String}, {@code Long}, {@code Double}, {@code Boolean} and null.
 *
 * <p>Reading is strict: no duplicate names, nothing after the value, whole numbers within 64 bits. JSON has no NaN and
 * no infinities, so {@link #write} encodes them as the strings {@code "NaN"}, {@code "Infinity"} and {@code
 * "-Infinity"}, which {@link #number} turns back.
 */
public final class Json {
    private static final JsonFactory JSON = new JsonFactory();

    private Json() {}

    /** The text is not one well-formed document. The message says what is wrong and where, but not in which file. */
    public static final class SyntaxException extends IOException {
        private static final long serialVersionUID = 1L;

        SyntaxException(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /**
     * Parses one JSON document.
     *
     * @param text the whole document
     * @return its tree
     * @throws SyntaxException if the text is anything but one strict JSON value
     */
    public static Object parse(String text) throws SyntaxException {
        try (JsonParser parser = JSON.createParser(text)) {
            return document(parser);
        } catch (SyntaxException e) {
            throw e;
        } catch (JsonProcessingException e) {
            throw syntax(e);
        } catch (IOException e) {
            throw new SyntaxException(e.getMessage(), e);
        }
    }

    /**
     * Parses one YAML document. Anchors and aliases are refused: a configuration needs none, and they can make a small
     * file expand without bound.
     *
     * @param text the whole document
     * @return its tree; plain scalars that are not numbers, booleans or null are strings
     * @throws SyntaxException if the text is anything but one YAML document of plain values
     */
    public static Object parseYaml(String text) throws SyntaxException {
        try (JsonParser parser = Yaml.parser(text)) {
            return document(parser);
        } catch (SyntaxException e) {
            throw e;
        } catch (JsonProcessingException e) {
            throw syntax(e);
        } catch (IOException e) {
            throw new SyntaxException(e.getMessage(), e);
        }
    }

    /**
     * Writes a tree as compact JSON on one line.
     *
     * @param tree as {@link #parse} returns it; {@code Integer} and {@code Float} are accepted too
     * @return the text, without a line break
     * @throws IllegalArgumentException if the tree holds a value of another kind
     */
    public static String write(Object tree) {
        return write(tree, false);
    }

    /**
     * Writes a tree as JSON with two spaces of indentation and a final line break.
     *
     * @param tree as for {@link #write(Object)}
     * @return the text
     * @throws IllegalArgumentException if the tree holds a value of another kind
     */
    public static String writePretty(Object tree) {
        return write(tree, true) + "\n";
    }

    /**
     * Reads a number back, undoing the encoding of values that JSON lacks.
     *
     * @param value a number, or one of the strings {@code NaN}, {@code Infinity}, {@code -Infinity}
     * @return the number
     * @throws IllegalArgumentException if the value is none of these
     */
    public static double number(Object value) {
        if (value instanceof Number number) {
            return number.doubleValue();
        }
        return switch (value instanceof String text ? text : "") {
            case "NaN" -> Double.NaN;
            case "Infinity" -> Double.POSITIVE_INFINITY;
            case "-Infinity" -> Double.NEGATIVE_INFINITY;
            default -> throw new IllegalArgumentException(write(value) + " is not a number");
        };
    }

    // Loaded only when a YAML file is read: the parser behind it is large, and most starts need JSON alone.
    private static final class Yaml {
        private static final YAMLFactory FACTORY = new YAMLFactory();

        static JsonParser parser(String text) throws IOException {
            return FACTORY.createParser(text);
        }

        static boolean isReference(JsonParser parser) throws IOException {
            return ((YAMLParser) parser).isCurrentAlias() || parser.getObjectId() != null;
        }
    }

    private static Object document(JsonParser parser) throws IOException {
        if (parser.nextToken() == null) {
            throw new SyntaxException("it is empty", null);
        }
        Object tree = value(parser);
        if (parser.nextToken() != null) {
            throw new SyntaxException("there is more after the end of the document, at " + where(parser), null);
        }
        return tree;
    }

    private static Object value(JsonParser parser) throws IOException {
        if (parser.canReadObjectId() && Yaml.isReference(parser)) {
            throw new SyntaxException("anchors and aliases are not supported, at " + where(parser), null);
        }
        return switch (parser.currentToken()) {
            case START_OBJECT -> object(parser);
            case START_ARRAY -> array(parser);
            case VALUE_STRING -> parser.getText();
            case VALUE_NUMBER_INT -> parser.getLongValue();
            case VALUE_NUMBER_FLOAT -> parser.getDoubleValue();
            case VALUE_TRUE -> Boolean.TRUE;
            case VALUE_FALSE -> Boolean.FALSE;
            case VALUE_NULL -> null;
            default -> throw new SyntaxException("unexpected " + parser.currentToken() + " at " + where(parser), null);
        };
    }

    private static Map<String, Object> object(JsonParser parser) throws IOException {
        Map<String, Object> fields = new LinkedHashMap<>();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String name = parser.currentName();
            if (name == null || parser.nextToken() == null) {
                throw new SyntaxException("an object ends early, at " + where(parser), null);
            }
            if (fields.containsKey(name)) {
                throw new SyntaxException("duplicate name " + write(name) + " at " + where(parser), null);
            }
            fields.put(name, value(parser));
        }
        return fields;
    }

    private static List<Object> array(JsonParser parser) throws IOException {
        List<Object> items = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            if (parser.currentToken() == null) {
                throw new SyntaxException("a list ends early, at " + where(parser), null);
            }
            items.add(value(parser));
        }
        return items;
    }

    private static String where(JsonParser parser) {
        var location = parser.currentTokenLocation();
        return "line " + location.getLineNr() + ", column " + location.getColumnNr();
    }

    private static SyntaxException syntax(JsonProcessingException e) {
        String what = String.valueOf(e.getOriginalMessage()).lines().findFirst().orElse("malformed");
        // Jackson repeats where a value began, with remarks on its own configuration.
        what = what.replaceAll(" \\(start marker at \\[.*", "");
        var location = e.getLocation();
        String where =
                location == null ? "" : " at line " + location.getLineNr() + ", column " + location.getColumnNr();
        return new SyntaxException(what + where, e);
    }

    private static String write(Object tree, boolean pretty) {
        StringWriter text = new StringWriter();
        try (JsonGenerator generator = JSON.createGenerator(text)) {
            if (pretty) {
                generator.setPrettyPrinter(printer());
            }
            write(generator, tree);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return text.toString();
    }

    private static DefaultPrettyPrinter printer() {
        DefaultIndenter indenter = new DefaultIndenter("  ", "\n");
        DefaultPrettyPrinter printer =
                new DefaultPrettyPrinter(Separators.createDefaultInstance().withObjectFieldValueSpacing(Spacing.AFTER));
        printer.indentObjectsWith(indenter);
        printer.indentArraysWith(indenter);
        return printer;
    }

    private static void write(JsonGenerator generator, Object value) throws IOException {
        switch (value) {
            case null -> generator.writeNull();
            case String s -> generator.writeString(s);
            case Boolean b -> generator.writeBoolean(b);
            case Integer i -> generator.writeNumber(i);
            case Long l -> generator.writeNumber(l);
            case Float f -> number(generator, f, f.toString());
            case Double d -> number(generator, d, d.toString());
            case Map<?, ?> map -> {
                generator.writeStartObject();
                for (var entry : map.entrySet()) {
                    generator.writeFieldName((String) entry.getKey());
                    write(generator, entry.getValue());
                }
                generator.writeEndObject();
            }
            case List<?> list -> {
                generator.writeStartArray();
                for (Object item : list) {
                    write(generator, item);
                }
                generator.writeEndArray();
            }
            default -> throw new IllegalArgumentException("cannot write " + value.getClass() + " as JSON");
        }
    }

    private static void number(JsonGenerator generator, double value, String text) throws IOException {
        if (Double.isFinite(value)) {
            generator.writeNumber(text);
        } else {
            generator.writeString(text);
        }
    }
}
