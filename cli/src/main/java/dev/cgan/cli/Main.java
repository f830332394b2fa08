package dev.cgan.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** Entry point of {@code cgan-cli}. */
@Command(
        name = "cgan-cli",
        description = "Trains generative adversarial networks and draws from them.",
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "COMMAND")
public final class Main {
    private Main() {}

    /** Runs the command line and exits with its code: 0 success, 1 failure, 2 usage. */
    public static void main(String[] args) {
        System.exit(new CommandLine(new Main()).execute(args));
    }
}
