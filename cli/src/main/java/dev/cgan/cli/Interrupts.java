package dev.cgan.cli;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Ctrl-C (SIGINT) and SIGTERM: the first asks the program to finish what it is doing, the second ends it at once.
 *
 * <p>The JDK's own way, a shutdown hook, cannot tell a second signal from the first, so this uses {@code
 * sun.misc.Signal}; by reflection, because javac warns of any other use. On a JVM without it, signals keep their usual
 * effect: the program ends, and the newest checkpoint is what remains.
 */
final class Interrupts implements AutoCloseable {
    private static final int SIGINT = 2;
    private static final int SIGTERM = 15;

    private final Runnable onFirst;
    private final AtomicInteger received = new AtomicInteger();
    private final Map<String, Object> before = new LinkedHashMap<>();

    private Interrupts(Runnable onFirst) {
        this.onFirst = onFirst;
    }

    /**
     * Starts to listen, until it is closed.
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

    /** Gives the signals back to whoever had them before. */
    @Override
    public void close() {
        before.forEach((name, handler) -> {
            try {
                install(name, handler);
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    private void handle(String name, int number) throws ReflectiveOperationException {
        Class<?> handler = Class.forName("sun.misc.SignalHandler");
        InvocationHandler act = (proxy, method, args) -> switch (method.getName()) {
            case "handle" -> receive(number);
            case "equals" -> proxy == args[0];
            case "hashCode" -> System.identityHashCode(proxy);
            default -> "handler of SIG" + name;
        };
        Object proxy = Proxy.newProxyInstance(handler.getClassLoader(), new Class<?>[] {handler}, act);
        before.put(name, install(name, proxy));
    }

    /** {@return the handler that was there before} */
    private static Object install(String name, Object handler) throws ReflectiveOperationException {
        Class<?> signal = Class.forName("sun.misc.Signal");
        return signal.getMethod("handle", signal, Class.forName("sun.misc.SignalHandler"))
                .invoke(null, signal.getConstructor(String.class).newInstance(name), handler);
    }

    private Object receive(int number) {
        if (!received.compareAndSet(0, number)) {
            Runtime.getRuntime().halt(128 + number);
        }
        onFirst.run();
        return null;
    }
}
