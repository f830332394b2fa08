/** The command line. */
module dev.cgan.cli {
    requires dev.cgan.bindings;
    requires dev.cgan.core;
    requires info.picocli;
    requires jdk.unsupported;

    opens dev.cgan.cli to
            info.picocli;

    provides dev.cgan.data.DatasetProvider with
            dev.cgan.cli.BundledMnist;
}
