package dev.cgan.cli;

import dev.cgan.bindings.DeviceInfo;
import dev.cgan.bindings.LibraryInfo;
import dev.cgan.bindings.LoadReport;
import dev.cgan.bindings.NativeCalls;
import dev.cgan.bindings.NativeLoadException;
import dev.cgan.bindings.NativeLoader;
import dev.cgan.io.ConfigException;
import dev.cgan.train.TrainConfig;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code cgan-cli doctor}: every piece that the program stands on: where it is, its version, or why it cannot be used. */
@Command(
        name = "doctor",
        description = {
            "Shows Java and each native library: path, version, and if it cannot be used, why not.",
            "Exits with 0 if training is possible, else with 1.",
            "With --plan, times the candidates of each operation of a model instead.",
            ""
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  cgan-cli doctor",
            "  cgan-cli doctor --plan dcgan --batch 64",
            "  cgan-cli doctor --plan dcgan --device cuda:0 --precision tf32"
        })
final class DoctorCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private Verbosity verbosity;

    @Option(
            names = "--plan",
            paramLabel = "MODEL",
            description = "Which kernels serve each operation of a training step, with the time of each candidate.")
    private String plan;

    @Option(names = "--batch", paramLabel = "N", description = "Images in a step of --plan (default: 64).")
    private Integer batch;

    @Option(
            names = "--device",
            paramLabel = "NAME",
            description = "Device of --plan: cpu, cuda:N, sim, auto (default: cpu).")
    private String device;

    @Option(names = "--threads", paramLabel = "N", description = "Threads of --plan; 0 = all processors (default: 0).")
    private Integer threads;

    @Option(names = "--precision", paramLabel = "fp32|tf32", description = "Precision of --plan (default: fp32).")
    private String precision;

    DoctorCommand() {}

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        try {
            return plan == null ? examine(out) : reportPlan(out);
        } catch (ConfigException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        } finally {
            out.flush();
        }
    }

    private int reportPlan(PrintWriter out) {
        Map<String, Object> given = new LinkedHashMap<>();
        GivenOptions.put(given, "model", plan);
        GivenOptions.put(given, "device", device == null ? "cpu" : device);
        GivenOptions.put(given, "batch", batch);
        GivenOptions.put(given, "threads", threads);
        GivenOptions.put(given, "precision", precision);
        TrainConfig config = TrainConfig.of(given);
        config.kernels().filter(pinned -> !pinned.equals("auto")).ifPresent(pinned -> {
            throw new ConfigException("--plan times all candidates, and --device '" + device
                    + "' pins one; leave kernels=" + pinned + " out");
        });
        return PlanReport.print(out, config.with(Map.of("kernels", "auto")));
    }

    private static int examine(PrintWriter out) {
        row(out, "java", System.getProperty("java.home"), Runtime.version().toString(), "ok");
        row(
                out,
                "system",
                System.getProperty("os.name") + " " + System.getProperty("os.version"),
                System.getProperty("os.arch") + ", " + Runtime.getRuntime().availableProcessors() + " processors",
                "ok");
        LoadReport report;
        try {
            report = NativeLoader.load();
        } catch (NativeLoadException e) {
            row(out, "libcgan", "-", "-", "failed");
            out.println(indented(e.getMessage()));
            return 1;
        }
        row(
                out,
                "libcgan",
                report.path().toString(),
                NativeCalls.version() + ", ABI " + report.abiMajor() + "." + report.abiMinor(),
                "ok, from " + report.source());
        for (LibraryInfo library : NativeCalls.libraries()) {
            if (!library.name().equals("libcgan")) {
                row(out, library.name(), library.path(), library.version(), library.status());
            }
        }
        return devices(out);
    }

    private static int devices(PrintWriter out) {
        boolean any = false;
        for (DeviceInfo device : NativeCalls.devices()) {
            any |= device.available();
            out.printf("%-14s %s%n", "device " + device.name(), device.available() ? "ok" : "unavailable");
            out.println(indented(device.description()));
        }
        return any ? 0 : 1;
    }

    private static void row(PrintWriter out, String name, String path, String version, String status) {
        out.printf("%-14s %s%n", name, status.lines().findFirst().orElse(""));
        status.lines().skip(1).forEach(line -> out.println(indented(line)));
        out.println(indented(path + "  " + version));
    }

    private static String indented(String text) {
        return "               " + text.strip().replace("\n", "\n               ");
    }
}
