package dev.cgan.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Entry point of {@code cgan-cli}. */
@Command(
        name = "cgan-cli",
        description = "Trains generative adversarial networks and draws from them.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {DevicesCommand.class, DoctorCommand.class},
        footer = {"", "Exit codes: 0 success, 1 failure, 2 wrong usage, 130 interrupted by Ctrl-C."})
public final class Main implements Runnable {
    @Spec
    private CommandSpec spec;

    private Main() {}

    /**
     * Runs the command line and exits with its code.
     *
     * @param args a command and its options
     */
    public static void main(String[] args) {
        System.exit(commandLine().execute(args));
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "missing command");
    }

    static CommandLine commandLine() {
        return new CommandLine(new Main())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExecutionExceptionHandler(Failures::failed)
                .setParameterExceptionHandler(Failures::misused);
    }
}
