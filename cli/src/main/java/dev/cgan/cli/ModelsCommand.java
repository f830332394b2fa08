package dev.cgan.cli;

import dev.cgan.gan.ModelType;
import dev.cgan.gan.Models;
import dev.cgan.gan.Settings;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code cgan-cli models}: what can be trained, and what can be set about it. */
@Command(
        name = "models",
        description = {"Lists the models, or the settings of one, with their defaults.", ""},
        footerHeading = "%nExamples:%n",
        footer = {"  cgan-cli models", "  cgan-cli models cgan"})
final class ModelsCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(index = "0", arity = "0..1", paramLabel = "MODEL", description = "Show the settings of this one.")
    private String model;

    @Mixin
    private Verbosity verbosity;

    ModelsCommand() {}

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        if (model == null) {
            for (ModelType type : Models.all()) {
                String mark = type.name().equals(Models.DEFAULT) ? " (default)" : "";
                out.printf("%-8s %s%s%n         %s%n", type.name(), type.title(), mark, type.paper());
            }
        } else {
            show(out, named(model));
        }
        out.flush();
        return 0;
    }

    private ModelType named(String name) {
        try {
            return Models.named(name);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    private static void show(PrintWriter out, ModelType type) {
        out.printf("%s: %s%n%s%n%nsettings, changed by --set KEY=VALUE:%n", type.name(), type.title(), type.paper());
        Settings settings = type.defaults();
        settings.values()
                .forEach((key, value) -> out.printf("  %-14s %-16s %s%n", key, value, settings.description(key)));
    }
}
