package dev.cgan.cli;

import picocli.CommandLine.Option;

/** What every command offers beside its own options. */
final class Verbosity {
    @Option(names = "--verbose", description = "On failure, print the stack trace too.")
    boolean verbose;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help and exit.")
    boolean help;

    Verbosity() {}
}
