package dev.cgan.train;

import dev.cgan.io.Json;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The losses of a run, step by step, as curves are drawn from them. Bounded: when it is full, every second entry goes, and
 * from then on only every second step is kept, and so on.
 */
public final class History {
    static final int CAPACITY = 8192;

    private static final List<String> COLUMNS = List.of("step", "d_loss", "g_loss", "d_real", "d_fake");

    private final List<double[]> rows = new ArrayList<>();
    private long stride = 1;

    /** Begins without entries. */
    public History() {}

    /**
     * Adds the figures of a step.
     *
     * @param step its number, greater than the last one's
     * @param discriminatorLoss the discriminator's loss
     * @param generatorLoss the generator's loss
     * @param real the mean of D(x)
     * @param fake the mean of D(G(z))
     */
    public void add(long step, double discriminatorLoss, double generatorLoss, double real, double fake) {
        if (step % stride != 0 && step != 1) {
            return;
        }
        rows.add(new double[] {step, discriminatorLoss, generatorLoss, real, fake});
        if (rows.size() > CAPACITY) {
            stride *= 2;
            rows.removeIf(row -> (long) row[0] % stride != 0 && row[0] != 1);
        }
    }

    /** {@return the number of entries} */
    public int size() {
        return rows.size();
    }

    /**
     * {@return one column, in the order of the steps}
     *
     * @param name {@code step}, {@code d_loss}, {@code g_loss}, {@code d_real} or {@code d_fake}
     */
    public double[] column(String name) {
        int index = COLUMNS.indexOf(name);
        return rows.stream().mapToDouble(row -> row[index]).toArray();
    }

    /** {@return all entries as text that {@link #parse} reads} */
    public String toJson() {
        Map<String, Object> columns = new LinkedHashMap<>();
        columns.put("stride", stride);
        for (int i = 0; i < COLUMNS.size(); i++) {
            int index = i;
            columns.put(
                    COLUMNS.get(i),
                    rows.stream()
                            .map(row -> index == 0 ? (Object) (long) row[0] : (Object) row[index])
                            .toList());
        }
        return Json.write(columns);
    }

    /**
     * Reads what {@link #toJson} wrote.
     *
     * @param json the text
     * @return the entries
     * @throws IllegalArgumentException if the text is other JSON
     * @throws Json.SyntaxException if it is no JSON
     */
    public static History parse(String json) throws Json.SyntaxException {
        if (!(Json.parse(json) instanceof Map<?, ?> columns) || !(columns.get("stride") instanceof Long stride)) {
            throw new IllegalArgumentException("the history is not a map of columns");
        }
        History history = new History();
        history.stride = stride;
        List<List<?>> lists = new ArrayList<>();
        for (String name : COLUMNS) {
            if (!(columns.get(name) instanceof List<?> list)
                    || list.size() != (lists.isEmpty() ? list : lists.getFirst()).size()) {
                throw new IllegalArgumentException("the history's column " + name + " is missing or of another length");
            }
            lists.add(list);
        }
        for (int i = 0; i < lists.getFirst().size(); i++) {
            double[] row = new double[COLUMNS.size()];
            for (int j = 0; j < row.length; j++) {
                row[j] = Json.number(lists.get(j).get(i));
            }
            history.rows.add(row);
        }
        return history;
    }
}
