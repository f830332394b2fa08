package dev.cgan.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class MainTest {
    @Test
    void versionNamesProgramAndJava() {
        Cli cli = Cli.call("--version");
        assertThat(cli.code()).isZero();
        assertThat(cli.out()).containsPattern("^cgan-cli \\d+\\.\\d+\\.\\d+").contains("Java " + Runtime.version());
    }

    @Test
    void helpListsEveryCommandAndTheExitCodes() {
        Cli cli = Cli.call("--help");
        assertThat(cli.code()).isZero();
        for (String command : Main.commandLine().getSubcommands().keySet()) {
            assertThat(cli.out()).containsPattern("(?m)^  " + command + " +\\S");
        }
        assertThat(cli.out()).contains("130 interrupted by Ctrl-C");
    }

    @Test
    void everyOptionOfEveryCommandHasALineOfHelp() {
        int checked = 0;
        for (CommandLine command : Main.commandLine().getSubcommands().values()) {
            for (var option : command.getCommandSpec().options()) {
                assertThat(String.join("", option.description()))
                        .as(command.getCommandName() + " " + option.longestName())
                        .isNotBlank();
                checked++;
            }
            assertThat(command.getUsageMessage()).as(command.getCommandName()).contains("Examples:");
        }
        assertThat(checked).isPositive();
    }

    @Test
    void missingCommandIsAUsageError() {
        Cli cli = Cli.call();
        assertThat(cli.code()).isEqualTo(2);
        assertThat(cli.err()).isEqualTo("error: missing command\ntry: cgan-cli --help\n");
    }

    @Test
    void unknownCommandIsAUsageErrorThatNamesTheNearest() {
        Cli cli = Cli.call("trian");
        assertThat(cli.code()).isEqualTo(2);
        assertThat(cli.err()).isEqualTo("error: unknown command 'trian'\ndid you mean: train?\ntry: cgan-cli --help\n");
    }

    @Test
    void unknownOptionIsAUsageErrorOfItsCommand() {
        Cli cli = Cli.call("devices", "--frobnicate");
        assertThat(cli.code()).isEqualTo(2);
        assertThat(cli.err()).isEqualTo("error: Unknown option: '--frobnicate'\ntry: cgan-cli devices --help\n");
    }
}
