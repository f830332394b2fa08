package dev.cgan.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFilesTest {
    @TempDir
    Path folder;

    @Test
    void replacesTheWholeContent() throws IOException {
        Path file = folder.resolve("a.txt");
        AtomicFiles.writeString(file, "a long first content");
        AtomicFiles.writeString(file, "second");
        assertThat(file).hasContent("second");
        assertThat(list()).containsExactly(file);
    }

    @Test
    void aFailureLeavesTheOldContentAndNoTemporaryFile() throws IOException {
        Path file = folder.resolve("a.txt");
        AtomicFiles.writeString(file, "old");
        assertThatThrownBy(() -> AtomicFiles.writeStream(file, out -> {
                    out.write(new byte[1000]);
                    throw new IllegalStateException("half way");
                }))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("half way");
        assertThat(file).hasContent("old");
        assertThat(list()).containsExactly(file);
    }

    @Test
    void aFullDiskIsNamedWithTheBytesNeededAndFree() throws IOException {
        Path full = Path.of("/dev/full");
        assumeTrue(Files.exists(full), "needs a device that is always full");
        Path file = folder.resolve("big.safetensors");
        assertThatThrownBy(() -> AtomicFiles.write(file, 123456, channel -> {
                    try (FileOutputStream out = new FileOutputStream(full.toFile())) {
                        out.write(1);
                    }
                }))
                .isInstanceOf(FileWriteException.class)
                .hasMessageMatching("cannot write \\Q" + file + "\\E: disk full, needs 123456 bytes, \\d+ bytes free; "
                        + "free some space or write to another disk");
        assertThat(list()).isEmpty();
    }

    @Test
    void namesAMissingFolderAndAFolderInPlaceOfAFile() throws IOException {
        Path orphan = folder.resolve("absent/a.txt");
        assertThatThrownBy(() -> AtomicFiles.writeString(orphan, "x"))
                .isInstanceOf(FileWriteException.class)
                .hasMessage("cannot write " + orphan + ": folder " + orphan.getParent()
                        + " does not exist; create it first");
        Path taken = Files.createDirectories(folder.resolve("taken/full"));
        assertThatThrownBy(() -> AtomicFiles.writeString(taken.getParent(), "x"))
                .isInstanceOf(FileWriteException.class)
                .hasMessage("cannot write " + taken.getParent() + ": it is a folder; name a file");
        assertThat(list()).containsExactly(taken.getParent());
    }

    @Test
    void linksReplaceAtomically() throws IOException {
        Path source = folder.resolve("step");
        Path best = folder.resolve("best");
        AtomicFiles.writeString(source, "one");
        AtomicFiles.link(source, best);
        AtomicFiles.link(source, best);
        assertThat(best).hasContent("one");
        AtomicFiles.writeString(source, "two");
        assertThat(best).hasContent("one");
        AtomicFiles.link(source, best);
        assertThat(best).hasContent("two");
        assertThat(list()).containsExactly(best, source);
    }

    @Test
    void removesOnlyItsOwnStaleFiles() throws IOException {
        Path mine = Files.createFile(folder.resolve(".cgan-step.safetensors-1f.tmp"));
        Path other = Files.createFile(folder.resolve("notes.tmp"));
        assertThat(AtomicFiles.removeStale(folder)).containsExactly(mine);
        assertThat(list()).containsExactly(other);
    }

    private List<Path> list() throws IOException {
        try (var files = Files.list(folder)) {
            return files.sorted().toList();
        }
    }
}
