package dev.cgan.benchmarks;

import dev.cgan.tensor.Device;
import dev.cgan.tensor.TensorScope;
import java.util.Set;

/** A problem prepared on a device with one candidate's kernels. */
final class Trial implements AutoCloseable {
    private final Device device;
    private final Problem problem;
    private final Runnable call;

    private Trial(Device device, Problem problem) {
        this.device = device;
        this.problem = problem;
        this.call = problem.call().on(device);
    }

    /**
     * Opens a device and prepares the problem's operands.
     *
     * @param device such as {@code cpu} or {@code cuda:0}, perhaps with options
     * @param candidate such as {@code handwritten} or {@code vendor}
     * @throws RuntimeException saying why, if the device has no such candidate
     */
    static Trial open(String device, String candidate, Problem problem) {
        Device opened = Device.open(device + (device.contains("?") ? "&" : "?") + "kernels=" + candidate);
        try {
            return new Trial(opened, problem);
        } catch (RuntimeException | Error e) {
            opened.close();
            throw e;
        }
    }

    /** {@return the candidates that serve one call: more, fewer or others than were asked for} */
    Set<String> servedBy() {
        Served before = Served.of(device, problem.operator());
        seconds(1);
        return Served.of(device, problem.operator()).since(before);
    }

    /**
     * {@return whether the candidate alone serves a call} GPUs count the operators that they have a choice for; all others
     * are served by handwritten kernels.
     */
    boolean isServedBy(String candidate) {
        Set<String> served = servedBy();
        return served.equals(Set.of(candidate)) || served.isEmpty() && candidate.equals("handwritten");
    }

    /** {@return the device's seconds for some calls} */
    double seconds(long calls) {
        device.startTimer();
        for (long i = 0; i < calls; i++) {
            try (TensorScope _ = device.scope("call")) {
                call.run();
            }
        }
        return device.stopTimer();
    }

    @Override
    public void close() {
        device.close();
    }
}
