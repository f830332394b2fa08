package dev.cgan.tensor;

/** Whether operators of the current thread record how their results came about, so that these can be differentiated. */
public final class Recording {
    private static final ThreadLocal<Recording> CURRENT = ThreadLocal.withInitial(Recording::new);

    private boolean on = true;

    private Recording() {}

    /** {@return whether operators of this thread are recorded; they are unless it was switched off} */
    public static boolean isOn() {
        return CURRENT.get().on;
    }

    /**
     * Switches recording on or off for this thread.
     *
     * @return what it was before
     */
    public static boolean set(boolean on) {
        Recording current = CURRENT.get();
        boolean before = current.on;
        current.on = on;
        return before;
    }
}
