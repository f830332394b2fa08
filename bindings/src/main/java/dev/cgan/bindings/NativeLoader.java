package dev.cgan.bindings;

import dev.cgan.bindings.DynamicLinker.RefusedException;
import java.io.File;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * Finds and opens libcgan. The order:
 *
 * <ol>
 *   <li>the file that property {@code cgan.native.path} or variable {@code CGAN_NATIVE_PATH} names;
 *   <li>libcgan.so in the folder that property {@code cgan.native.dir} or variable {@code CGAN_NATIVE_DIR} names;
 *   <li>the library in the jar, unpacked into this user's cache folder;
 *   <li>the folders of {@code java.library.path}, then the system's loader.
 * </ol>
 *
 * The first two are decisive: if one is set and does not work, loading fails, so that no other library is used by
 * mistake. So does a library of the wrong ABI. The exception lists each attempt with the system's own words.
 */
public final class NativeLoader {
    static final String FILE_NAME = System.mapLibraryName("cgan");

    private static LoadReport loaded;

    private final UnaryOperator<String> properties;
    private final UnaryOperator<String> environment;
    private final String systemName;
    private final BundledLibrary bundle;
    private final DynamicLinker linker = new DynamicLinker();
    private final List<String> declined = new ArrayList<>();

    /** Takes what it reads of its surroundings, and the name that the system's loader is asked for. */
    NativeLoader(
            UnaryOperator<String> properties,
            UnaryOperator<String> environment,
            Function<String, URL> resources,
            String systemName) {
        this.properties = properties;
        this.environment = environment;
        this.systemName = systemName;
        this.bundle = new BundledLibrary(resources, cacheFolder(), platform());
    }

    /**
     * Loads libcgan into this process; a second call returns the first one's report.
     *
     * @throws NativeLoadException if no library can be used; a later call tries again
     */
    public static synchronized LoadReport load() {
        if (loaded == null) {
            LoadReport report = new NativeLoader(
                            System::getProperty, System::getenv, NativeLoader.class::getResource, FILE_NAME)
                    .find();
            try {
                System.load(report.path().toString());
            } catch (UnsatisfiedLinkError e) { // such as: already loaded in another class loader
                throw new NativeLoadException("the JVM refused %s: %s".formatted(report.path(), e.getMessage()));
            }
            loaded = report;
        }
        return loaded;
    }

    /** {@return the library to use, opened by the dynamic linker and of the right ABI, not yet known to the JVM} */
    LoadReport find() {
        LoadReport report = fromSetting("cgan.native.path", "CGAN_NATIVE_PATH", Path::of);
        if (report == null) {
            report = fromSetting("cgan.native.dir", "CGAN_NATIVE_DIR", dir -> Path.of(dir, FILE_NAME));
        }
        if (report == null) {
            report = fromJar();
        }
        if (report == null) {
            report = fromLibraryPath();
        }
        if (report == null) {
            report = fromSystem();
        }
        if (report == null) {
            throw new NativeLoadException("libcgan could not be loaded for %s; tried:\n  %s\n%s"
                    .formatted(
                            platform(),
                            String.join("\n  ", declined),
                            "Use a jar built for this platform, or set -Dcgan.native.path=FILE to a libcgan of ABI "
                                    + NativeCalls.ABI_MAJOR + "." + NativeCalls.ABI_MINOR + "."));
        }
        return report;
    }

    private LoadReport fromSetting(String property, String variable, Function<String, Path> file) {
        String source = "property " + property;
        String value = properties.apply(property);
        if (value == null) {
            source = "variable " + variable;
            value = environment.apply(variable);
        }
        if (value == null) {
            declined.add("property %s, variable %s: not set".formatted(property, variable));
            return null;
        }
        try {
            return open(file.apply(value).toAbsolutePath(), source);
        } catch (RefusedException e) {
            throw new NativeLoadException(
                    "%s is set to '%s', but: %s\nCorrect it, or unset it to use the library in the jar."
                            .formatted(source, value, e.getMessage()));
        }
    }

    private LoadReport fromJar() {
        if (!bundle.present()) {
            declined.add("jar: no " + bundle.resourceName());
            return null;
        }
        try {
            return open(bundle.locate(), "jar");
        } catch (IOException e) {
            declined.add("jar: could not unpack %s: %s".formatted(bundle.resourceName(), e));
        } catch (RefusedException e) {
            declined.add("jar: " + e.getMessage());
        }
        return null;
    }

    private LoadReport fromLibraryPath() {
        String path = properties.apply("java.library.path");
        boolean found = false;
        for (String folder : path == null ? new String[0] : path.split(File.pathSeparator)) {
            Path file = Path.of(folder, FILE_NAME).toAbsolutePath();
            if (!folder.isEmpty() && Files.exists(file)) {
                found = true;
                try {
                    return open(file, "java.library.path");
                } catch (RefusedException e) {
                    declined.add("java.library.path: " + e.getMessage());
                }
            }
        }
        if (!found) {
            declined.add("java.library.path: no %s in %s".formatted(FILE_NAME, path));
        }
        return null;
    }

    private LoadReport fromSystem() {
        try {
            MemorySegment handle = linker.open(systemName);
            Path file = linker.fileOf(linker.symbol(handle, "cgan_abi_version"));
            linker.close(handle);
            return open(file, "system loader");
        } catch (RefusedException e) {
            declined.add("system loader: " + e.getMessage());
            return null;
        }
    }

    /** Opens a file and checks its ABI before anything else of it is called. */
    private LoadReport open(Path file, String source) throws RefusedException {
        MemorySegment handle = linker.open(file.toString());
        int abi;
        try {
            abi = linker.callInt(linker.symbol(handle, "cgan_abi_version"));
        } catch (RefusedException e) {
            linker.close(handle);
            throw e;
        }
        int major = abi >>> 16;
        int minor = abi & 0xffff;
        if (major != NativeCalls.ABI_MAJOR || minor < NativeCalls.ABI_MINOR) {
            linker.close(handle);
            throw new NativeLoadException("libcgan at %s (%s) speaks ABI %d.%d, this jar needs %d.%d or a later %d.x"
                            .formatted(
                                    file,
                                    source,
                                    major,
                                    minor,
                                    NativeCalls.ABI_MAJOR,
                                    NativeCalls.ABI_MINOR,
                                    NativeCalls.ABI_MAJOR)
                    + "\nUse the library and the jar of one release.");
        }
        return new LoadReport(file, source, major, minor, declined);
    }

    private Path cacheFolder() {
        String xdg = environment.apply("XDG_CACHE_HOME");
        Path home = Path.of(properties.apply("user.home"));
        Path base;
        if (xdg != null && !xdg.isEmpty()) {
            base = Path.of(xdg, "cgan");
        } else if (home.isAbsolute() && Files.isWritable(home)) {
            base = home.resolve(".cache").resolve("cgan");
        } else { // a service account without a home
            base = Path.of(properties.apply("java.io.tmpdir"), "cgan-" + BundledLibrary.processOwner());
        }
        return base.resolve("native-%d.%d".formatted(NativeCalls.ABI_MAJOR, NativeCalls.ABI_MINOR));
    }

    private String platform() {
        String arch = properties.apply("os.arch");
        String os = properties.apply("os.name").toLowerCase(Locale.ROOT);
        return (os.startsWith("mac") ? "darwin" : os) + "-" + (arch.equals("amd64") ? "x86_64" : arch);
    }
}
