package dev.cgan.testkit;

import java.util.Arrays;
import java.util.Random;

/** Damages the bytes of a file in the ways that files get damaged, or attacked. */
public final class Mutations {
    private static final byte[] INTERESTING = {
        0,
        1,
        0x7f,
        (byte) 0x80,
        (byte) 0xff,
        '"',
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        '-',
        '9',
        '\n',
        ' ',
        '&',
        '*',
        '!',
        '\\'
    };

    private Mutations() {}

    /** {@return a damaged copy of {@code original}, which may by chance equal it} */
    public static byte[] mutate(byte[] original, Random random) {
        byte[] bytes = original.clone();
        for (int count = 1 + random.nextInt(4); count > 0; count--) {
            bytes = once(bytes, random);
        }
        return bytes;
    }

    private static byte[] once(byte[] bytes, Random random) {
        if (bytes.length == 0) {
            return new byte[] {(byte) random.nextInt()};
        }
        // Headers decide what is read, so the beginning is hit more often than its share.
        int at = random.nextInt(random.nextBoolean() ? bytes.length : Math.min(bytes.length, 32));
        return switch (random.nextInt(8)) {
            case 0 -> flipBit(bytes, at, random);
            case 1 -> set(bytes, at, (byte) random.nextInt());
            case 2 -> set(bytes, at, INTERESTING[random.nextInt(INTERESTING.length)]);
            case 3 -> Arrays.copyOf(bytes, at);
            case 4 -> extend(bytes, random);
            case 5 -> splice(bytes, at, Math.min(bytes.length, at + 1 + random.nextInt(8)), new byte[0]);
            case 6 -> splice(bytes, at, at, Arrays.copyOfRange(bytes, at, Math.min(bytes.length, at + 8)));
            default -> fill(bytes, at, random);
        };
    }

    private static byte[] flipBit(byte[] bytes, int at, Random random) {
        bytes[at] ^= (byte) (1 << random.nextInt(8));
        return bytes;
    }

    private static byte[] set(byte[] bytes, int at, byte value) {
        bytes[at] = value;
        return bytes;
    }

    private static byte[] fill(byte[] bytes, int at, Random random) {
        byte value = INTERESTING[random.nextInt(INTERESTING.length)];
        Arrays.fill(bytes, at, Math.min(bytes.length, at + 1 + random.nextInt(8)), value);
        return bytes;
    }

    private static byte[] extend(byte[] bytes, Random random) {
        byte[] tail = new byte[1 + random.nextInt(64)];
        random.nextBytes(tail);
        return splice(bytes, bytes.length, bytes.length, tail);
    }

    private static byte[] splice(byte[] bytes, int from, int to, byte[] insert) {
        byte[] result = new byte[bytes.length - (to - from) + insert.length];
        System.arraycopy(bytes, 0, result, 0, from);
        System.arraycopy(insert, 0, result, from, insert.length);
        System.arraycopy(bytes, to, result, from + insert.length, bytes.length - to);
        return result;
    }
}
