package dev.cgan.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cgan.testkit.Mutations;
import dev.cgan.testkit.Seeds;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JsonTest {
    private static final String ALPHABET = "abc\"\\/\n\t\u00e9\u4e2d 0:#";

    @Test
    void randomTreesRoundTrip() throws Json.SyntaxException {
        Random random = Seeds.random("JsonTest.roundTrip");
        for (int round = 0; round < 500; round++) {
            Object tree = tree(random, 4);
            assertThat(Json.parse(Json.write(tree))).isEqualTo(tree);
            assertThat(Json.parse(Json.writePretty(tree))).isEqualTo(tree);
        }
    }

    @Test
    void numbersThatJsonLacksAreStrings() throws Json.SyntaxException {
        assertThat(Json.write(List.of(Double.NaN, Float.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY)))
                .isEqualTo("[\"NaN\",\"Infinity\",\"-Infinity\"]");
        for (Double value : List.of(Double.NaN, 1 / 0.0, -1 / 0.0, -0.0, 1e-300)) {
            assertThat(Json.number(Json.parse(Json.write(value)))).isEqualTo(value);
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Json.number("1.5"))
                .withMessage("\"1.5\" is not a number");
        assertThatIllegalArgumentException().isThrownBy(() -> Json.number(null)).withMessage("null is not a number");
    }

    @Test
    void readsYaml() throws Json.SyntaxException {
        Map<String, Object> expected = new LinkedHashMap<>();
        expected.put("model", "cgan");
        expected.put("lr", 2e-4);
        expected.put("steps", 10L);
        expected.put("ema", null);
        expected.put("list", List.of(1L, "a", true));
        assertThat(Json.parseYaml("model: cgan\nlr: 2.0e-4\nsteps: 10 # few\nema: null\nlist: [1, a, true]\n"))
                .isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "`` | it is empty",
                "{\"a\":1 | end-of-input",
                "{} {} | there is more after the end of the document, at line 1, column 4",
                "{\"a\":1,\"a\":2} | duplicate name \"a\" at line 1, column 12",
                "[NaN] | Non-standard token 'NaN'",
                "{\"a\":123456789012345678901} | out of range",
                "[01] | Leading zeroes not allowed",
            })
    void refusesBadJson(String text, String message) {
        assertThatThrownBy(() -> Json.parse(text))
                .isInstanceOf(Json.SyntaxException.class)
                .hasMessageContaining(message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "`a: &x 1\nb: *x` | anchors and aliases are not supported, at line 2",
                "`a: 1\na: 2` | duplicate name \"a\" at line 2",
                "`a: [1` | at line 1",
                "`---\na: 1\n---\nb: 2` | there is more after the end of the document",
            })
    void refusesBadYaml(String text, String message) {
        assertThatThrownBy(() -> Json.parseYaml(text))
                .isInstanceOf(Json.SyntaxException.class)
                .hasMessageContaining(message);
    }

    @Test
    void mutatedTextIsReadOrRefusedAndNeverMore() {
        Random random = Seeds.random("JsonTest.fuzz");
        String json = "{\"model\": \"cgan\", \"lr\": 2e-4, \"list\": [1, -2.5, null, true, {\"\\u00e9\": \"x\"}]}";
        String yaml = "model: cgan\nlr: 2.0e-4\nlist:\n  - 1\n  - x\n  - y\nmap: {a: b, ? c : d}\ntext: |\n  x\n";
        int[] outcomes = new int[2];
        for (int round = 0; round < 8000; round++) {
            boolean useYaml = random.nextBoolean();
            byte[] original = (useYaml && random.nextBoolean() ? yaml : json).getBytes(StandardCharsets.UTF_8);
            String text = new String(Mutations.mutate(original, random), StandardCharsets.UTF_8);
            try {
                Json.write(useYaml ? Json.parseYaml(text) : Json.parse(text));
                outcomes[0]++;
            } catch (Json.SyntaxException e) {
                assertThat(e.getMessage()).isNotBlank();
                outcomes[1]++;
            }
        }
        assertThat(outcomes[0]).isGreaterThan(100);
        assertThat(outcomes[1]).isGreaterThan(100);
    }

    private static Object tree(Random random, int depth) {
        return switch (random.nextInt(depth == 0 ? 5 : 7)) {
            case 0 -> random.nextLong() >> random.nextInt(64);
            case 1 -> (random.nextDouble() - 0.5) * Math.pow(10, random.nextInt(200) - 100);
            case 2 -> random.nextBoolean();
            case 3 -> null;
            case 4 -> text(random);
            case 5 -> {
                Map<String, Object> map = new LinkedHashMap<>();
                for (int i = random.nextInt(4); i > 0; i--) {
                    map.put("k" + text(random), tree(random, depth - 1));
                }
                yield map;
            }
            default -> {
                List<Object> list = new ArrayList<>();
                for (int i = random.nextInt(4); i > 0; i--) {
                    list.add(tree(random, depth - 1));
                }
                yield list;
            }
        };
    }

    private static String text(Random random) {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(8); i > 0; i--) {
            text.append(ALPHABET.charAt(random.nextInt(ALPHABET.length())));
        }
        return text.toString();
    }
}
