package dev.cgan.bindings;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URL;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * The native libraries inside the jar: a folder {@code /native/<os>-<arch>/} with an index {@code libraries.txt} of
 * lines "sha256 bytes name".
 *
 * <p>They are unpacked together (plugins are looked for beside libcgan) into a folder named after the index's hash, so
 * that releases never share one. It appears by one rename: another process sees nothing or all of it.
 */
final class BundledLibrary {
    private static final String INDEX = "libraries.txt";

    private final Function<String, URL> resources;
    private final Path cache;
    private final String platform;

    private record Entry(String sha256, long bytes, String name) {}

    /**
     * Describes the bundle; touches nothing.
     *
     * @param resources finds a resource by its absolute name, or null
     * @param cache folder of this user to unpack into; made when needed
     * @param platform such as {@code linux-x86_64}
     */
    BundledLibrary(Function<String, URL> resources, Path cache, String platform) {
        this.resources = resources;
        this.cache = cache;
        this.platform = platform;
    }

    String resourceName() {
        return "/native/" + platform + "/" + NativeLoader.FILE_NAME;
    }

    /** {@return whether the jar has libraries for this platform} */
    boolean present() {
        return index() != null;
    }

    /** {@return a file on disk, unpacked if it was not there} */
    Path locate() throws IOException {
        URL url = index();
        if (url.getProtocol().equals("file")) {
            return Path.of(URI.create(url.toString())).resolveSibling(NativeLoader.FILE_NAME); // not in a jar
        }
        byte[] index;
        try (InputStream in = url.openStream()) {
            index = in.readAllBytes();
        }
        List<Entry> entries = new String(index, StandardCharsets.UTF_8)
                .lines()
                .map(line -> line.split(" ", 3))
                .map(f -> new Entry(f[0], Long.parseLong(f[1]), f[2]))
                .toList();
        String hash = HexFormat.of().formatHex(sha256().digest(index)).substring(0, 16);
        Path folder = cache.resolve(platform + "-" + hash);
        if (!complete(folder, entries)) {
            unpack(folder, entries);
        }
        requirePrivate(cache);
        requirePrivate(folder);
        return folder.resolve(NativeLoader.FILE_NAME);
    }

    private URL index() {
        return resources.apply("/native/" + platform + "/" + INDEX);
    }

    private static boolean complete(Path folder, List<Entry> entries) throws IOException {
        for (Entry entry : entries) {
            Path file = folder.resolve(entry.name);
            if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) || Files.size(file) != entry.bytes) {
                return false;
            }
        }
        return true;
    }

    private void unpack(Path folder, List<Entry> entries) throws IOException {
        var ownerOnly = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
        Files.createDirectories(cache, ownerOnly);
        requirePrivate(cache);
        Path temporary = Files.createTempDirectory(cache, ".unpack-", ownerOnly);
        try {
            for (Entry entry : entries) {
                unpack(entry, temporary.resolve(entry.name));
            }
            if (Files.exists(folder)) { // incomplete, as found above: a damaged copy gives way
                delete(folder);
            }
            Files.move(temporary, folder, StandardCopyOption.ATOMIC_MOVE);
        } catch (FileAlreadyExistsException | DirectoryNotEmptyException e) {
            if (!complete(folder, entries)) { // else another process was faster, with the same bytes
                throw e;
            }
        } finally {
            delete(temporary);
        }
    }

    private void unpack(Entry entry, Path file) throws IOException {
        MessageDigest digest = sha256();
        URL url = resources.apply("/native/" + platform + "/" + entry.name);
        if (url == null) {
            throw new IOException("the jar lists %s but lacks it".formatted(entry.name));
        }
        try (InputStream in = new DigestInputStream(url.openStream(), digest)) {
            Files.copy(in, file);
        }
        String found = HexFormat.of().formatHex(digest.digest());
        if (!found.equals(entry.sha256)) {
            throw new IOException(
                    "%s in the jar is damaged: sha256 %s, expected %s".formatted(entry.name, found, entry.sha256));
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.force(true);
        }
    }

    /** A library from a folder that someone else may write to could be anything. */
    private static void requirePrivate(Path folder) throws IOException {
        String owner = Files.getOwner(folder).getName();
        if (!owner.equals(processOwner())) {
            throw new IOException("cache folder %s belongs to %s, not to %s; set XDG_CACHE_HOME to a folder of your own"
                    .formatted(folder, owner, processOwner()));
        }
        Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(folder);
        if (permissions.contains(PosixFilePermission.GROUP_WRITE)
                || permissions.contains(PosixFilePermission.OTHERS_WRITE)) {
            throw new IOException("cache folder %s may be written by others (%s); run: chmod 700 '%s'"
                    .formatted(folder, PosixFilePermissions.toString(permissions), folder));
        }
    }

    /** Not user.name: in a container, a user without a passwd entry has none. */
    static String processOwner() {
        try {
            return Files.getOwner(Path.of("/proc/self")).getName();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void delete(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        List<Path> children = new ArrayList<>();
        try (Stream<Path> walk = Files.walk(folder)) {
            walk.forEach(children::addFirst);
        }
        for (Path path : children) {
            Files.deleteIfExists(path);
        }
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }
}
