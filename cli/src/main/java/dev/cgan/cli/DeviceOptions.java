package dev.cgan.cli;

import dev.cgan.train.TrainConfig;
import java.util.LinkedHashMap;
import java.util.Map;
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
    private Integer threads;

    @Option(
            names = "--kernels",
            paramLabel = "NAME",
            description = {
                "Whose kernels compute: handwritten; vendor (oneDNN, cuDNN); auto: the fastest, timed at first use;",
                "reference (CPU only: slow, exact). The same as ?kernels=NAME after --device (default: handwritten)."
            })
    private String kernels;

    @Option(
            names = "--precision",
            paramLabel = "fp32|tf32",
            description = {
                "tf32: products and convolutions on a GPU's tensor cores, whose operands keep 10 bits of mantissa",
                "(compute capability 8.0 or later; default: fp32)."
            })
    private String precision;

    DeviceOptions() {}

    /** {@return the name to open the device by, thread count and precision included} */
    String name() {
        Map<String, Object> given = new LinkedHashMap<>();
        putInto(given);
        return TrainConfig.of(given).deviceName();
    }

    /** Adds what was given, by the keys of a configuration. */
    void putInto(Map<String, Object> given) {
        GivenOptions.put(given, "device", device);
        GivenOptions.put(given, "kernels", kernels);
        GivenOptions.put(given, "threads", threads);
        GivenOptions.put(given, "precision", precision);
    }
}
