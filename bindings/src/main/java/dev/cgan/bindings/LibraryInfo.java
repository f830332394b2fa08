package dev.cgan.bindings;

/**
 * One native library as {@code doctor} shows it.
 *
 * @param name {@code libcgan}, or the file name of an optional library
 * @param path where it is, or {@code -} if it was not found
 * @param version its own version, or {@code -} if unknown
 * @param status {@code ok}, or the raw reason why it cannot be used
 */
public record LibraryInfo(String name, String path, String version, String status) {
    /** {@return whether the library can be used} */
    public boolean usable() {
        return status.equals("ok");
    }
}
