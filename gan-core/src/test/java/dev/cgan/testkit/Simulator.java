package dev.cgan.testkit;

import dev.cgan.bindings.LibraryInfo;
import dev.cgan.bindings.NativeCalls;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/** The settings and counts of the simulated device: what {@code native/sim/src/control.h} lets a program say and ask. */
public final class Simulator implements AutoCloseable {
    private final Arena arena = Arena.ofConfined();
    private final MethodHandle set;
    private final MethodHandle get;

    /** Finds the simulator, with its settings as they are at the start of a process. */
    @SuppressWarnings("restricted")
    public Simulator() {
        LibraryInfo library = NativeCalls.libraries().stream()
                .filter(each -> each.name().equals("libcgan_sim.so"))
                .findFirst()
                .orElseThrow();
        SymbolLookup symbols = SymbolLookup.libraryLookup(Path.of(library.path()), arena);
        set = Linker.nativeLinker()
                .downcallHandle(
                        symbols.find("cgan_sim_set").orElseThrow(),
                        FunctionDescriptor.of(ValueLayout.JAVA_BOOLEAN, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG));
        get = Linker.nativeLinker()
                .downcallHandle(
                        symbols.find("cgan_sim_get").orElseThrow(),
                        FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.ADDRESS));
        defaults();
    }

    /** Changes a setting. */
    public void set(String name, long value) {
        try (Arena call = Arena.ofConfined()) {
            if (!(boolean) set.invokeExact(call.allocateFrom(name), value)) {
                throw new IllegalArgumentException("the simulator has no setting " + name);
            }
        } catch (RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** {@return a count: calls, kernels, vendor_calls, live} */
    public long get(String name) {
        try (Arena call = Arena.ofConfined()) {
            return (long) get.invokeExact(call.allocateFrom(name));
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    private void defaults() {
        set("fail", 0);
        set("fault", 0);
        set("fail_vendor", 0);
        set("vendor_delay", 0);
        set("devices", 1);
        set("early_copies", 0);
        set("reset", 0);
    }

    /** Gives it its settings back. */
    @Override
    public void close() {
        defaults();
        arena.close();
    }
}
