package peers;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.StringJoiner;

/** Answers each line of the input, a number of steps, with a line of JSON: their seconds. As serving.py does. */
final class Serving {
    /** One training step. */
    interface Step {
        /** {@return the losses of D and G} */
        float[] run() throws IOException;
    }

    private Serving() {}

    static void serve(String peer, Step step) throws IOException {
        System.out.println("{\"peer\": \"" + peer + "\", \"model\": \"report\"}");
        BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = requests.readLine(); line != null; line = requests.readLine()) {
            StringJoiner seconds = new StringJoiner(", ", "[", "]");
            float[] losses = {};
            for (int i = Integer.parseInt(line.trim()); i > 0; i--) {
                long began = System.nanoTime();
                losses = step.run();
                seconds.add(Double.toString((System.nanoTime() - began) / 1e9));
            }
            System.out.println("{\"seconds\": " + seconds + ", \"losses\": [" + losses[0] + ", " + losses[1] + "]}");
        }
    }
}
