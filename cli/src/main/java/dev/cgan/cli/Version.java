package dev.cgan.cli;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;
import picocli.CommandLine.IVersionProvider;

/** The versions of this program and of the Java that runs it. */
final class Version implements IVersionProvider {
    Version() {}

    @Override
    public String[] getVersion() throws IOException {
        return new String[] {
            "cgan-cli " + number(), "Java " + Runtime.version() + ", " + System.getProperty("java.vm.name")
        };
    }

    private static String number() throws IOException {
        try (InputStream in = Version.class.getResourceAsStream("version.properties")) {
            Properties properties = new Properties();
            properties.load(in);
            return properties.getProperty("version");
        }
    }
}
