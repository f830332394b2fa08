package dev.cgan.cli;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The command line in a process of its own, as a user runs it. */
final class CliProcess implements AutoCloseable {
    private final Process process;
    private final Path output;

    private CliProcess(Process process, Path output) {
        this.process = process;
        this.output = output;
    }

    /**
     * Starts it.
     *
     * @param output receives what it prints
     * @param shell commands of the shell that starts it, such as {@code ulimit -f 100}; empty for none
     * @param args its arguments
     */
    static CliProcess start(Path output, String shell, String... args) throws IOException {
        List<String> command = new ArrayList<>();
        if (!shell.isEmpty()) {
            command.addAll(List.of("bash", "-c", shell + "; exec \"$@\"", "bash"));
        }
        // A parent that ignores SIGINT, such as a background job of a script, hands that down.
        command.addAll(List.of("env", "--default-signal=INT,TERM"));
        command.addAll(program());
        command.addAll(List.of(args));
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        return new CliProcess(process, output);
    }

    /** {@return the words of a command line that runs the program, for arguments to follow} */
    static List<String> program() {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "--enable-native-access=ALL-UNNAMED"));
        String library = System.getProperty("cgan.native.path");
        if (library != null) {
            command.add("-Dcgan.native.path=" + library);
        }
        command.addAll(List.of("-cp", classPath(), Main.class.getName()));
        return command;
    }

    /** Sends a signal, such as INT. */
    void signal(String name) throws IOException, InterruptedException {
        Process kill = new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start();
        if (kill.waitFor() != 0) {
            throw new IOException("cannot send " + name + " to " + process.pid() + ": " + output());
        }
    }

    /** {@return its exit code} */
    int await() throws InterruptedException {
        if (!process.waitFor(120, TimeUnit.SECONDS)) {
            throw new AssertionError("the process does not end: " + output());
        }
        return process.exitValue();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** Waits until it has made a step of the run. */
    void awaitStep(Path metrics, long after) throws IOException, InterruptedException {
        while (!Files.exists(metrics) || Files.readAllLines(metrics).size() <= after) {
            if (!process.isAlive()) {
                throw new AssertionError("the process ended early: " + output());
            }
            Thread.sleep(10);
        }
    }

    String output() {
        try {
            return Files.readString(output);
        } catch (IOException e) {
            return e.toString();
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }

    /** Modules work on the class path as well. */
    private static String classPath() {
        String modules = System.getProperty("jdk.module.path");
        String classes = System.getProperty("java.class.path");
        return modules == null ? classes : modules + File.pathSeparator + classes;
    }
}
