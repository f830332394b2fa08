package dev.cgan.cli;

import java.io.PrintWriter;
import java.util.regex.Matcher;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Turns exceptions into one line for the user and an exit code: 2 for wrong usage, 1 for a failure. */
final class Failures {
    private Failures() {}

    /** A command was called wrongly: one line says how, one what to do. */
    static int misused(ParameterException e, String[] args) {
        CommandLine command = e.getCommandLine();
        PrintWriter err = command.getErr();
        err.println("error: " + oneLine(message(e)));
        if (e instanceof UnmatchedArgumentException unmatched) {
            String near = String.join(", ", unmatched.getSuggestions());
            if (!near.isEmpty()) {
                err.println("did you mean: " + near + "?");
            }
        }
        String name = command.getCommandSpec().qualifiedName();
        err.println("try: " + name.replaceFirst("^cgan-cli", Matcher.quoteReplacement(Main.program())) + " --help");
        err.flush();
        return CommandLine.ExitCode.USAGE;
    }

    private static String message(ParameterException e) {
        boolean wantsCommand = e.getCommandLine().getParent() == null;
        return wantsCommand && e instanceof UnmatchedArgumentException unmatched && !unmatched.isUnknownOption()
                ? "unknown command '" + unmatched.getUnmatched().getFirst() + "'"
                : e.getMessage();
    }

    /** A command failed: one line, and the stack only where it was asked for. */
    static int failed(Exception e, CommandLine command, ParseResult parsed) {
        PrintWriter err = command.getErr();
        err.println("error: " + describe(e));
        if (wantsStack(parsed)) {
            e.printStackTrace(err);
        }
        err.flush();
        return CommandLine.ExitCode.SOFTWARE;
    }

    /** The message, or the kind of failure for exceptions that were never meant for a user. */
    static String describe(Throwable e) {
        String message = e.getMessage();
        if (message == null || message.isBlank()) {
            return e.getClass().getSimpleName() + "; run again with --verbose to see where";
        }
        return message;
    }

    private static boolean wantsStack(ParseResult parsed) {
        if (Boolean.getBoolean("cgan.debug")) {
            return true;
        }
        for (ParseResult at = parsed; at != null; at = at.subcommand()) {
            if (at.hasMatchedOption("--verbose")) {
                return true;
            }
        }
        return false;
    }

    private static String oneLine(String message) {
        return message.replaceAll("\\s*\\R\\s*", " ");
    }
}
