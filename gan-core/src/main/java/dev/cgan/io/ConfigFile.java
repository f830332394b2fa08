package dev.cgan.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;

/** Reads settings from a JSON or YAML file, and writes them as JSON. What keys and values mean is the caller's concern. */
public final class ConfigFile {
    private static final long MAX_BYTES = 1 << 20;

    private ConfigFile() {}

    /**
     * Reads a file: YAML if its name ends in {@code .yaml} or {@code .yml}, else JSON.
     *
     * @param path the file
     * @return its keys and values, as {@link Json} describes them
     * @throws InvalidFileException if it is missing, too large, not UTF-8, malformed, or not a map of keys to values
     * @throws IOException if reading fails
     */
    @SuppressWarnings("unchecked") // Json's objects have string keys.
    public static Map<String, Object> read(Path path) throws IOException {
        String text = text(path);
        String name = path.getFileName().toString().toLowerCase(Locale.ROOT);
        boolean yaml = name.endsWith(".yaml") || name.endsWith(".yml");
        Object tree;
        try {
            tree = yaml ? Json.parseYaml(text) : Json.parse(text);
        } catch (Json.SyntaxException e) {
            String what = "not valid " + (yaml ? "YAML" : "JSON") + ": " + e.getMessage();
            throw new InvalidFileException(path, what, "correct it, or name the file .json or .yaml as it is", e);
        }
        if (!(tree instanceof Map<?, ?>)) {
            throw new InvalidFileException(
                    path, "it holds no map of keys to values", "write lines such as `steps: 500`");
        }
        return (Map<String, Object>) tree;
    }

    /**
     * Writes a file, atomically.
     *
     * @param path the file; its folder must exist
     * @param values as {@link Json#write} takes them
     * @throws IOException if the file system refuses
     */
    public static void write(Path path, Map<String, ?> values) throws IOException {
        AtomicFiles.writeString(path, Json.writePretty(values));
    }

    private static String text(Path path) throws IOException {
        try {
            if (Files.isDirectory(path)) {
                throw new InvalidFileException(path, "it is a folder, not a file of settings", "name the file itself");
            }
            long size = Files.size(path);
            if (size > MAX_BYTES) {
                throw new InvalidFileException(
                        path, size + " bytes, settings take at most " + MAX_BYTES, "check that it is the right file");
            }
            byte[] bytes = Files.readAllBytes(path);
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (NoSuchFileException e) {
            throw new InvalidFileException(path, "no such file", "check the path", e);
        } catch (CharacterCodingException e) {
            throw new InvalidFileException(path, "not UTF-8 text", "save it as UTF-8", e);
        }
    }
}
