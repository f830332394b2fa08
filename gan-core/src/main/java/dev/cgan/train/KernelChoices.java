package dev.cgan.train;

import dev.cgan.tensor.Device;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** What {@code kernels=auto} has measured and given up, each line of the device's description told once. */
final class KernelChoices {
    private static final String MEASURED = "plan: ";
    private static final String FAILED = "auto: ";

    private final Device device;
    private final TrainListener listener;
    private final boolean chooses;
    private final Set<String> told = new HashSet<>();

    /**
     * @param name the name that the device was opened by
     * @param listener is told
     */
    KernelChoices(Device device, String name, TrainListener listener) {
        this.device = device;
        this.listener = listener;
        chooses = DeviceName.of(name).option("kernels").filter("auto"::equals).isPresent();
    }

    /** What is known before the first step has been said by the device's summary. */
    void start() {
        if (chooses) {
            lines().forEach(told::add);
        }
    }

    /** Tells what has been chosen, or has failed, since the last time. */
    void tell() {
        if (!chooses) {
            return;
        }
        List<String> news = lines().stream().filter(told::add).toList();
        List<String> chosen =
                news.stream().filter(line -> line.startsWith(MEASURED)).toList();
        if (!chosen.isEmpty()) {
            listener.onKernels(chosen.stream()
                    .map(line -> line.substring(MEASURED.length()))
                    .toList());
        }
        news.stream()
                .filter(line -> line.startsWith(FAILED))
                .forEach(line -> listener.onWarning(line.substring(FAILED.length())));
    }

    /** The count of a plan's operations, which changes, is none of them. */
    private List<String> lines() {
        return device.describe()
                .lines()
                .filter(line -> line.startsWith(FAILED) || (line.startsWith(MEASURED) && line.endsWith(")")))
                .toList();
    }
}
