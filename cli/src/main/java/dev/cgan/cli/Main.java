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
        subcommands = {
            TrainCommand.class,
            SampleCommand.class,
            ModelsCommand.class,
            DevicesCommand.class,
            DoctorCommand.class
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  cgan-cli train                                   learn the bundled MNIST digits",
            "  cgan-cli sample runs/0001-cgan-mnist --label 7   draw sevens with what was learnt",
            "  cgan-cli train --help                            every option of a command",
            "",
            "Exit codes: 0 success, 1 failure, 2 wrong usage, 130 interrupted by Ctrl-C."
        })
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
        CommandLine commandLine = new CommandLine(new Main())
                .setUsageHelpWidth(helpWidth())
                .setExecutionExceptionHandler(Failures::failed)
                .setParameterExceptionHandler(Failures::misused);
        Numbers.register(commandLine);
        return commandLine;
    }

    /** {@return how the user called the program, for commands to be pasted: the launcher says it} */
    static String program() {
        return System.getProperty("cgan.program", "cgan-cli");
    }

    /** The terminal's width where the shell tells it; asking for it otherwise would cost more than the help itself. */
    private static int helpWidth() {
        String columns = System.getenv("COLUMNS");
        return columns != null && columns.matches("[1-9]\\d{1,3}") ? Math.clamp(Long.parseLong(columns), 60, 120) : 110;
    }
}
