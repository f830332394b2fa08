package dev.cgan.cli;

import dev.cgan.bindings.DeviceInfo;
import dev.cgan.bindings.NativeCalls;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code cgan-cli devices}: what {@code --device} accepts on this machine, and why not the rest. */
@Command(
        name = "devices",
        description = {"Lists the devices that --device names, and why some cannot be used.", ""},
        footerHeading = "%nExamples:%n",
        footer = {
            "  cgan-cli devices",
            "  cgan-cli train --device cpu --threads 1     options go on with a query: --device 'cpu?isa=baseline'"
        })
final class DevicesCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private Verbosity verbosity;

    DevicesCommand() {}

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        for (DeviceInfo device : NativeCalls.devices()) {
            String state = device.available() ? "ok" : "unavailable";
            out.printf("%-8s  %-11s  %s%n", device.name(), state, device.description());
        }
        out.flush();
        return 0;
    }
}
