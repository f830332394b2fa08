package dev.cgan.cli;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Ctrl-C (SIGINT) and SIGTERM: the first asks the program to finish what it is doing, the second ends it at once.
 *
 * <p>The JDK's own way, a shutdown hook, cannot tell a second signal from the first, so this uses {@code
 * sun.misc.Signal}; by reflection, because javac warns of any other use. On a JVM without it, signals keep their usual
 * effect: the program ends, and the newest checkpoint is what remains.
 */
final class Interrupts {
    private static final int SIGINT = 2;
    private static final int SIGTERM = 15;

    private final Runnable onFirst;
    private final AtomicInteger received = new AtomicInteger();

    private Interrupts(Runnable onFirst) {
        this.onFirst = onFirst;
    }

    /**
     * Starts to listen, for the rest of the process.
     *
     * @param onFirst called once, on a thread of the JVM's own
     * @return which signal came, if any
     */
    static Interrupts listen(Runnable onFirst) {
        Interrupts interrupts = new Interrupts(onFirst);
        try {
            interrupts.handle("INT", SIGINT);
            interrupts.handle("TERM", SIGTERM);
        } catch (ReflectiveOperationException | IllegalArgumentException e) {
            // No such signals here; see above.
            return interrupts;
        }
        return interrupts;
    }

    /** {@return 128 + the number of the signal that came, as shells report it; 0 if none did} */
    int exitCode() {
        int number = received.get();
        return number == 0 ? 0 : 128 + number;
    }

    private void handle(String name, int number) throws ReflectiveOperationException {
        Class<?> signal = Class.forName("sun.misc.Signal");
        Class<?> handler = Class.forName("sun.misc.SignalHandler");
        InvocationHandler act = (proxy, method, args) -> switch (method.getName()) {
            case "handle" -> receive(number);
            case "equals" -> proxy == args[0];
            case "hashCode" -> System.identityHashCode(proxy);
            default -> "handler of SIG" + name;
        };
        Object proxy = Proxy.newProxyInstance(handler.getClassLoader(), new Class<?>[] {handler}, act);
        signal.getMethod("handle", signal, handler)
                .invoke(null, signal.getConstructor(String.class).newInstance(name), proxy);
    }

    private Object receive(int number) {
        if (!received.compareAndSet(0, number)) {
            Runtime.getRuntime().halt(128 + number);
        }
        onFirst.run();
        return null;
    }
}
