package dev.cgan.cli;

import dev.cgan.train.TrainConfig;
import picocli.CommandLine.Option;

/** Where the numbers are crunched. */
final class DeviceOptions {
    @Option(
            names = "--device",
            paramLabel = "NAME",
            description = "Device: auto, cpu, cuda:N, sim; `cgan-cli devices` lists them (default: auto).")
    String device;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Worker threads of the CPU device, up to 256; 0 = all processors (default: 0).")
    Integer threads;

    DeviceOptions() {}

    /** {@return the name to open the device by, the thread count included} */
    String name() {
        String name = device == null ? "auto" : device;
        return threads == null ? name : TrainConfig.deviceName(name, threads);
    }
}
