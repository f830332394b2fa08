package dev.cgan.io;

import java.util.Collection;
import java.util.Locale;
import java.util.Optional;

/** Finds the word that a user probably meant. */
public final class Suggestions {
    private static final int LONGEST_WORD = 64;

    private Suggestions() {}

    /**
     * Finds the nearest candidate by edit distance (Levenshtein, with swaps of neighbours counted as one), ignoring
     * case and the characters {@code - _}.
     *
     * @param word what was typed
     * @param candidates what could have been meant
     * @return the nearest candidate, the first of equals; empty if none is near, that is within a third of the word
     */
    public static Optional<String> nearest(String word, Collection<String> candidates) {
        String typed = normalize(word);
        if (typed.length() > LONGEST_WORD) {
            return Optional.empty();
        }
        String best = null;
        int bestDistance = Integer.MAX_VALUE;
        for (String candidate : candidates) {
            String other = normalize(candidate);
            if (other.length() > LONGEST_WORD) {
                continue;
            }
            int distance = distance(typed, other);
            if (distance < bestDistance && distance <= Math.max(1, Math.max(typed.length(), other.length()) / 3)) {
                best = candidate;
                bestDistance = distance;
            }
        }
        return Optional.ofNullable(best);
    }

    /**
     * Words the suggestion for a message.
     *
     * @param word what was typed
     * @param candidates what could have been meant
     * @return {@code "did you mean X?"}, or a list of all candidates if none is near
     */
    public static String didYouMean(String word, Collection<String> candidates) {
        return nearest(word, candidates)
                .map(near -> "did you mean " + near + "?")
                .orElseGet(() -> "choose one of " + String.join(", ", candidates));
    }

    static String normalize(String word) {
        return word.toLowerCase(Locale.ROOT).replace("-", "").replace("_", "");
    }

    private static int distance(String a, String b) {
        int[][] table = new int[a.length() + 1][b.length() + 1];
        for (int i = 0; i <= a.length(); i++) {
            for (int j = 0; j <= b.length(); j++) {
                if (i == 0 || j == 0) {
                    table[i][j] = i + j;
                    continue;
                }
                int substitute = table[i - 1][j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                int best = Math.min(substitute, 1 + Math.min(table[i - 1][j], table[i][j - 1]));
                if (i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1)) {
                    best = Math.min(best, table[i - 2][j - 2] + 1);
                }
                table[i][j] = best;
            }
        }
        return table[a.length()][b.length()];
    }
}
