package dev.cgan.cli;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** What is known of the terminal behind standard output. */
final class Terminal {
    private static final int USUAL_WIDTH = 80;

    private Terminal() {}

    /** {@return whether standard output is a terminal that understands a carriage return} */
    static boolean isInteractive() {
        if ("dumb".equals(System.getenv("TERM"))) {
            return false;
        }
        Path stdout = Path.of("/proc/self/fd/1");
        if (Files.isSymbolicLink(stdout)) {
            try {
                String target = Files.readSymbolicLink(stdout).toString();
                return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty") || target.equals("/dev/console");
            } catch (IOException e) {
                return false;
            }
        }
        return System.console() != null && System.console().isTerminal();
    }

    /** {@return the columns of the terminal: what COLUMNS says, else what stty says, else 80} */
    static int width() {
        Integer stated = positive(System.getenv("COLUMNS"));
        if (stated != null) {
            return stated;
        }
        try {
            Process stty = new ProcessBuilder("stty", "size")
                    .redirectInput(new File("/dev/tty"))
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            if (!stty.waitFor(1, TimeUnit.SECONDS)) {
                stty.destroyForcibly();
                return USUAL_WIDTH;
            }
            String[] size = new String(stty.getInputStream().readAllBytes(), StandardCharsets.US_ASCII)
                    .trim()
                    .split(" ");
            Integer columns = size.length == 2 ? positive(size[1]) : null;
            return columns == null ? USUAL_WIDTH : columns;
        } catch (IOException e) {
            return USUAL_WIDTH;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return USUAL_WIDTH;
        }
    }

    private static Integer positive(String text) {
        return text != null && text.matches("[1-9][0-9]{0,4}") ? Integer.valueOf(text) : null;
    }
}
