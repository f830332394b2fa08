package dev.cgan.cli;

import dev.cgan.train.TrainConfig;
import picocli.CommandLine.Option;

/** Where the numbers are crunched. */
final class DeviceOptions {
    @Option(
            names = "--device",
            paramLabel = "NAME",
            description = "Device: auto, cpu, cuda:N, sim; `cgan-cli devices` lists them (default: auto).")
    private String device;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Worker threads of the CPU device, up to 256; 0 = all processors (default: 0).")
    Integer threads;

    @Option(
            names = "--kernels",
            paramLabel = "NAME",
            description = {
                "Whose kernels compute: handwritten; vendor (oneDNN, cuDNN); auto: the fastest, timed at first use;",
                "reference (CPU only: slow, exact). The same as ?kernels=NAME after --device (default: handwritten)."
            })
    String kernels;

    DeviceOptions() {}

    /** {@return the device with its kernels, or null if neither was given} */
    String device() {
        if (kernels == null) {
            return device;
        }
        String name = device == null ? "auto" : device;
        return name + (name.contains("?") ? "&" : "?") + "kernels=" + kernels;
    }

    /** {@return the name to open the device by, the thread count included} */
    String name() {
        String name = device() == null ? "auto" : device();
        return threads == null ? name : TrainConfig.deviceName(name, threads);
    }
}
