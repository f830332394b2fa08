package dev.cgan.bindings;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/**
 * The dynamic linker's own calls. {@link java.lang.foreign.SymbolLookup#libraryLookup} drops the text of dlerror, which
 * is what tells a missing file from a missing dependency; this keeps it.
 */
final class DynamicLinker {
    private static final int RTLD_NOW = 2;

    private final Linker linker = Linker.nativeLinker();
    private final MethodHandle dlopen = handle("dlopen", FunctionDescriptor.of(ADDRESS, ADDRESS, JAVA_INT));
    private final MethodHandle dlsym = handle("dlsym", FunctionDescriptor.of(ADDRESS, ADDRESS, ADDRESS));
    private final MethodHandle dlerror = handle("dlerror", FunctionDescriptor.of(ADDRESS));
    private final MethodHandle dlclose = handle("dlclose", FunctionDescriptor.of(JAVA_INT, ADDRESS));

    /** The linker refused; the message is dlerror's. */
    static final class RefusedException extends Exception {
        private static final long serialVersionUID = 1L;

        RefusedException(String dlerror) {
            super(dlerror);
        }
    }

    /** Opens a library by path, or by bare name along the system's search path; {@return its handle} */
    MemorySegment open(String name) throws RefusedException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment handle = (MemorySegment) dlopen.invokeExact(arena.allocateFrom(name), RTLD_NOW);
            return orRefused(handle);
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /** {@return the address of a symbol of an open library} */
    MemorySegment symbol(MemorySegment handle, String name) throws RefusedException {
        try (Arena arena = Arena.ofConfined()) {
            return orRefused((MemorySegment) dlsym.invokeExact(handle, arena.allocateFrom(name)));
        } catch (Throwable e) {
            throw rethrow(e);
        }
    }

    /** Calls a function of the form {@code int32_t f(void)}. */
    int callInt(MemorySegment function) {
        try {
            return (int) linker.downcallHandle(function, FunctionDescriptor.of(JAVA_INT))
                    .invokeExact();
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** {@return the file that a symbol's address was loaded from} */
    Path fileOf(MemorySegment symbol) {
        MethodHandle dladdr = handle("dladdr", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment info = arena.allocate(ADDRESS, 4); // Dl_info begins with const char *dli_fname
            if ((int) dladdr.invokeExact(symbol, info) == 0) {
                throw new IllegalStateException("dladdr does not know " + symbol);
            }
            return Path.of(text(info.get(ADDRESS, 0))).toAbsolutePath();
        } catch (RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    void close(MemorySegment handle) {
        try {
            int ignored = (int) dlclose.invokeExact(handle);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    private MemorySegment orRefused(MemorySegment result) throws Throwable {
        if (result.address() != 0) {
            return result;
        }
        MemorySegment error = (MemorySegment) dlerror.invokeExact();
        throw new RefusedException(error.address() == 0 ? "no reason given" : text(error));
    }

    private static String text(MemorySegment cString) {
        return cString.reinterpret(Integer.MAX_VALUE).getString(0);
    }

    private static RefusedException rethrow(Throwable e) {
        if (e instanceof RefusedException refused) {
            return refused;
        }
        throw new AssertionError(e);
    }

    private MethodHandle handle(String name, FunctionDescriptor type) {
        MemorySegment address = linker.defaultLookup()
                .find(name)
                .orElseThrow(() -> new NativeLoadException("this platform's C library has no " + name
                        + "; cgan runs on Linux with glibc, x86-64 or aarch64"));
        return linker.downcallHandle(address, type);
    }
}
