package dev.cgan.testkit;

import dev.cgan.bindings.DeviceInfo;
import dev.cgan.bindings.NativeCalls;
import java.util.List;

/** The devices besides the CPU that tests can use here: the simulator where it was built, and GPUs where there are any. */
public final class Accelerators {
    private Accelerators() {}

    /** {@return the names of those that work; the same source serves them all} */
    public static List<String> names() {
        return NativeCalls.devices().stream()
                .filter(device -> device.available() && !device.name().equals("cpu"))
                .map(DeviceInfo::name)
                .toList();
    }

    /** {@return whether the simulator is among them} */
    public static boolean haveSimulator() {
        return names().contains("sim");
    }
}
