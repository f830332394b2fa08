package dev.cgan.gan;

import dev.cgan.io.Suggestions;
import java.util.List;

/** The models that can be named. */
public final class Models {
    /** The model that is trained when none is named. */
    public static final String DEFAULT = "cgan";

    private Models() {}

    /** {@return all of them} */
    public static List<ModelType> all() {
        return List.of(Cgan.TYPE, Report.TYPE, Dcgan.TYPE, WganGp.TYPE);
    }

    /** {@return their names} */
    public static List<String> names() {
        return all().stream().map(ModelType::name).toList();
    }

    /**
     * Finds a model.
     *
     * @param name one of {@link #names}
     * @return its type
     * @throws IllegalArgumentException naming the nearest, if there is none of that name
     */
    public static ModelType named(String name) {
        return all().stream()
                .filter(type -> type.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "unknown model '" + name + "'; " + Suggestions.didYouMean(name, names())));
    }
}
