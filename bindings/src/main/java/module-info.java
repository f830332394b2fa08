/** Loads libcgan and calls it through {@code java.lang.foreign}. */
module dev.cgan.bindings {
    exports dev.cgan.bindings;
}
