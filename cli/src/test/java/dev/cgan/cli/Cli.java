package dev.cgan.cli;

import java.io.PrintWriter;
import java.io.StringWriter;
import picocli.CommandLine;

/**
 * What a command line did when it was called inside this process.
 *
 * @param code its exit code
 * @param out what it printed
 * @param err what it complained of
 */
record Cli(int code, String out, String err) {
    static Cli call(String... args) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine commandLine =
                Main.commandLine().setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
        int code = commandLine.execute(args);
        return new Cli(code, out.toString(), err.toString());
    }
}
