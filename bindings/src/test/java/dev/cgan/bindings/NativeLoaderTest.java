package dev.cgan.bindings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.io.OutputStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeLoaderTest {
    private static final int MAJOR = NativeCalls.ABI_MAJOR;
    private static final int MINOR = NativeCalls.ABI_MINOR;
    private static final Function<String, URL> NO_RESOURCES = name -> null;

    @TempDir
    private Path temp;

    private final Map<String, String> properties = new HashMap<>();
    private final Map<String, String> environment = new HashMap<>();

    @BeforeEach
    void describeMachine() {
        properties.put("os.name", "Linux");
        properties.put("os.arch", "amd64");
        properties.put("user.home", temp.resolve("home").toString());
        properties.put("java.io.tmpdir", temp.resolve("tmp").toString());
        properties.put("java.library.path", temp.resolve("p").toString());
        environment.put("XDG_CACHE_HOME", temp.resolve("cache").toString());
    }

    private LoadReport find(Function<String, URL> resources) {
        return new NativeLoader(properties::get, environment::get, resources, "libcgan-absent.so").find();
    }

    private void assertRefused(Function<String, URL> resources, String message) {
        assertThatExceptionOfType(NativeLoadException.class)
                .isThrownBy(() -> find(resources))
                .withMessage(message);
    }

    // ---- settings ------------------------------------------------------------------------------------------------

    @Test
    void thePathPropertyWinsOverAllElse() throws Exception {
        Path file = SharedObjects.withAbi(temp.resolve("a/other name.so"), MAJOR, MINOR);
        properties.put("cgan.native.path", file.toString());
        environment.put("CGAN_NATIVE_PATH", "/nonexistent");
        properties.put("cgan.native.dir", "/nonexistent");
        LoadReport report = find(NO_RESOURCES);
        assertThat(report).isEqualTo(new LoadReport(file, "property cgan.native.path", MAJOR, MINOR, List.of()));
        assertThat(report)
                .hasToString("libcgan %s (ABI %d.%d, from property cgan.native.path)".formatted(file, MAJOR, MINOR));
    }

    @Test
    void theDirectoryVariableNamesAFolder() throws Exception {
        Path file = SharedObjects.withAbi(temp.resolve("a/libcgan.so"), MAJOR, MINOR);
        environment.put("CGAN_NATIVE_DIR", temp.resolve("a").toString());
        assertThat(find(NO_RESOURCES))
                .isEqualTo(new LoadReport(
                        file,
                        "variable CGAN_NATIVE_DIR",
                        MAJOR,
                        MINOR,
                        List.of("property cgan.native.path, variable CGAN_NATIVE_PATH: not set")));
    }

    @Test
    void aMissingFileIsDecisive() throws Exception {
        SharedObjects.withAbi(temp.resolve("p/libcgan.so"), MAJOR, MINOR); // would be found on java.library.path
        environment.put("CGAN_NATIVE_PATH", "/nonexistent/libcgan.so");
        assertRefused(NO_RESOURCES, """
                variable CGAN_NATIVE_PATH is set to '/nonexistent/libcgan.so', but: /nonexistent/libcgan.so: cannot open \
                shared object file: No such file or directory
                Correct it, or unset it to use the library in the jar.""");
    }

    @Test
    void aDirectoryWithoutTheLibraryIsDecisive() throws Exception {
        SharedObjects.withAbi(temp.resolve("p/libcgan.so"), MAJOR, MINOR);
        properties.put("cgan.native.dir", "/nonexistent");
        assertRefused(NO_RESOURCES, """
                property cgan.native.dir is set to '/nonexistent', but: /nonexistent/libcgan.so: cannot open shared object \
                file: No such file or directory
                Correct it, or unset it to use the library in the jar.""");
    }

    @Test
    void brokenLibrariesAreDescribedInTheSystemsWords() throws Exception {
        Path dir = Files.createDirectory(temp.resolve("b"));
        Path file = dir.resolve("libcgan.so");
        properties.put("cgan.native.path", file.toString());
        String frame = "property cgan.native.path is set to '" + file + "', but: %s\n"
                + "Correct it, or unset it to use the library in the jar.";

        Files.writeString(file, "short");
        assertRefused(NO_RESOURCES, frame.formatted(file + ": file too short"));
        Files.write(file, new byte[4096]);
        assertRefused(NO_RESOURCES, frame.formatted(file + ": invalid ELF header"));
        SharedObjects.compile(file, "int something_else(void) { return 1; }");
        assertRefused(NO_RESOURCES, frame.formatted(file + ": undefined symbol: cgan_abi_version"));

        Path dependency = SharedObjects.compile(dir.resolve("libabsent.so"), "int absent(void) { return 1; }");
        Path needy = dir.resolve("libneedy.so");
        SharedObjects.compile(
                needy, "int absent(void); int cgan_abi_version(void) { return absent(); }", dependency.toString());
        Files.delete(dependency);
        properties.put("cgan.native.path", needy.toString());
        assertRefused(
                NO_RESOURCES,
                frame.replace(file.toString(), needy.toString())
                        .formatted(dependency + ": cannot open shared object file: No such file or directory"));
    }

    @Test
    void anotherMajorAbiIsRefused() throws Exception {
        Path file = SharedObjects.withAbi(temp.resolve("a/libcgan.so"), MAJOR + 1, 7);
        properties.put("cgan.native.path", file.toString());
        assertRefused(NO_RESOURCES, """
                libcgan at %s (property cgan.native.path) speaks ABI %d.7, this jar needs %d.%d or a later %d.x
                Use the library and the jar of one release.""".formatted(file, MAJOR + 1, MAJOR, MINOR, MAJOR));
    }

    @Test
    void aLaterMinorAbiIsAccepted() throws Exception {
        Path file = SharedObjects.withAbi(temp.resolve("a/libcgan.so"), MAJOR, MINOR + 3);
        properties.put("cgan.native.path", file.toString());
        assertThat(find(NO_RESOURCES).abiMinor()).isEqualTo(MINOR + 3);
    }

    // ---- library path --------------------------------------------------------------------------------------------

    @Test
    void theLibraryPathIsSearchedInOrder() throws Exception {
        Path broken = temp.resolve("p/libcgan.so");
        Files.createDirectories(broken.getParent());
        Files.writeString(broken, "short");
        Path file = SharedObjects.withAbi(temp.resolve("q/libcgan.so"), MAJOR, MINOR);
        properties.put("java.library.path", temp.resolve("p") + "::" + temp.resolve("q"));
        assertThat(find(NO_RESOURCES))
                .isEqualTo(new LoadReport(
                        file,
                        "java.library.path",
                        MAJOR,
                        MINOR,
                        List.of(
                                "property cgan.native.path, variable CGAN_NATIVE_PATH: not set",
                                "property cgan.native.dir, variable CGAN_NATIVE_DIR: not set",
                                "jar: no /native/linux-x86_64/libcgan.so",
                                "java.library.path: " + broken + ": file too short")));
    }

    @Test
    void theErrorListsEveryAttempt() {
        properties.put("os.arch", "riscv64");
        assertRefused(NO_RESOURCES, """
                libcgan could not be loaded for linux-riscv64; tried:
                  property cgan.native.path, variable CGAN_NATIVE_PATH: not set
                  property cgan.native.dir, variable CGAN_NATIVE_DIR: not set
                  jar: no /native/linux-riscv64/libcgan.so
                  java.library.path: no libcgan.so in %s/p
                  system loader: libcgan-absent.so: cannot open shared object file: No such file or directory
                Use a jar built for this platform, or set -Dcgan.native.path=FILE to a libcgan of ABI %d.%d.""".formatted(temp, MAJOR, MINOR));
    }

    @Test
    void theSystemsLoaderIsTheLastResort() throws Exception {
        Path file = SharedObjects.withAbi(temp.resolve("s/libcgan-system.so"), MAJOR, MINOR);
        LoadReport report = new NativeLoader(properties::get, environment::get, NO_RESOURCES, file.toString()).find();
        assertThat(report.path()).isEqualTo(file);
        assertThat(report.source()).isEqualTo("system loader");
        assertThat(report.declined()).hasSize(4);
    }

    // ---- jar -----------------------------------------------------------------------------------------------------

    private Function<String, URL> jarWith(Path library, String index) throws Exception {
        Path jar = Files.createTempFile(temp, "bundle", ".jar");
        try (OutputStream file = Files.newOutputStream(jar);
                JarOutputStream out = new JarOutputStream(file)) {
            out.putNextEntry(new JarEntry("native/linux-x86_64/libcgan.so"));
            Files.copy(library, out);
            out.putNextEntry(new JarEntry("native/linux-x86_64/libraries.txt"));
            out.write(index.getBytes(java.nio.charset.StandardCharsets.UTF_8));
        }
        @SuppressWarnings("resource") // lives as long as the URLs it gives
        URLClassLoader loader = new URLClassLoader(new URL[] {jar.toUri().toURL()}, null);
        return name -> loader.getResource(name.substring(1));
    }

    private static String indexOf(Path library) throws Exception {
        String hash =
                HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(library)));
        return "%s %d libcgan.so\n".formatted(hash, Files.size(library));
    }

    private Path cached() throws IOException {
        try (Stream<Path> files = Files.walk(temp.resolve("cache"))) {
            List<Path> found = files.filter(Files::isRegularFile).toList();
            assertThat(found).hasSize(1);
            return found.getFirst();
        }
    }

    @Test
    void theLibraryInTheJarIsUnpackedOnce() throws Exception {
        Path library = SharedObjects.withAbi(temp.resolve("a/libcgan.so"), MAJOR, MINOR);
        Function<String, URL> jar = jarWith(library, indexOf(library));
        LoadReport report = find(jar);
        assertThat(report.source()).isEqualTo("jar");
        assertThat(report.path()).isEqualTo(cached()).hasSameBinaryContentAs(library);
        assertThat(PosixFilePermissions.toString(
                        Files.getPosixFilePermissions(report.path().getParent())))
                .isEqualTo("rwx------");

        Object before = Files.getAttribute(report.path(), "unix:ino");
        assertThat(find(jar).path()).isEqualTo(report.path());
        assertThat(Files.getAttribute(cached(), "unix:ino")).isEqualTo(before);
    }

    @Test
    void eachReleaseHasItsOwnFolder() throws Exception {
        Path first = SharedObjects.withAbi(temp.resolve("a/libcgan.so"), MAJOR, MINOR);
        Path second = SharedObjects.withAbi(temp.resolve("b/libcgan.so"), MAJOR, MINOR + 1);
        assertThat(find(jarWith(first, indexOf(first))).path().getParent())
                .isNotEqualTo(find(jarWith(second, indexOf(second))).path().getParent());
    }

    @Test
    void aTruncatedCopyIsReplaced() throws Exception {
        Path library = SharedObjects.withAbi(temp.resolve("a/libcgan.so"), MAJOR, MINOR);
        Function<String, URL> jar = jarWith(library, indexOf(library));
        Path copy = find(jar).path();
        Files.delete(copy); // a new file: the old one is mapped
        Files.writeString(copy, "short");
        assertThat(find(jar).path()).isEqualTo(cached()).hasSameBinaryContentAs(library);
    }

    @Test
    void aDamagedJarLeavesNothingBehind() throws Exception {
        Path library = SharedObjects.withAbi(temp.resolve("a/libcgan.so"), MAJOR, MINOR);
        String index = indexOf(library);
        Files.writeString(library, "other bytes");
        Function<String, URL> jar = jarWith(library, index);
        String found = indexOf(library).split(" ")[0];
        assertThatExceptionOfType(NativeLoadException.class)
                .isThrownBy(() -> find(jar))
                .withMessageContaining(
                        "\n  jar: could not unpack /native/linux-x86_64/libcgan.so: java.io.IOException: "
                                + "libcgan.so in the jar is damaged: sha256 " + found + ", expected "
                                + index.split(" ")[0] + "\n");
        try (Stream<Path> files = Files.walk(temp.resolve("cache/cgan"))) {
            assertThat(files.filter(Files::isRegularFile)).isEmpty();
        }
    }

    @Test
    void aCacheThatOthersMayWriteIsRefused() throws Exception {
        Path library = SharedObjects.withAbi(temp.resolve("a/libcgan.so"), MAJOR, MINOR);
        Function<String, URL> jar = jarWith(library, indexOf(library));
        Path folder = find(jar).path().getParent();
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx"));
        assertThatExceptionOfType(NativeLoadException.class)
                .isThrownBy(() -> find(jar))
                .withMessageContaining("cache folder %s may be written by others (rwxrwxrwx); run: chmod 700 '%s'"
                        .formatted(folder, folder));
    }

    @Test
    void aLibraryOutsideAJarIsUsedWhereItIs() throws Exception {
        Path folder = temp.resolve("classes/native/linux-x86_64");
        Path library = SharedObjects.withAbi(folder.resolve("libcgan.so"), MAJOR, MINOR);
        URL index = Files.writeString(folder.resolve("libraries.txt"), indexOf(library))
                .toUri()
                .toURL();
        LoadReport report = find(name -> name.endsWith("libraries.txt") ? index : null);
        assertThat(report.path()).isEqualTo(library);
        assertThat(temp.resolve("cache")).doesNotExist();
    }

    @Test
    void withoutAHomeTheTemporaryFolderServes() throws Exception {
        Path library = SharedObjects.withAbi(temp.resolve("a/libcgan.so"), MAJOR, MINOR);
        environment.remove("XDG_CACHE_HOME");
        properties.put("user.home", "?");
        assertThat(find(jarWith(library, indexOf(library))).path())
                .startsWith(temp.resolve("tmp").resolve("cgan-" + BundledLibrary.processOwner()));
    }
}
