package dev.cgan.tensor;

import java.util.Arrays;

/**
 * Owns tensors: those made while it is the innermost open scope of its device. Closing it frees them.
 *
 * <p>Scopes close in the reverse order of opening; anything else is an error that names both scopes. A training step is a
 * scope:
 *
 * <pre>{@code
 * try (TensorScope _ = device.scope("d-step")) {
 *     Tensor loss = ...;
 *     meter.accept(loss.item());
 * }
 * }</pre>
 */
public final class TensorScope implements AutoCloseable {
    private final Device device;
    private final String name;
    private final TensorScope parent;
    private final long openedNanos = System.nanoTime();

    private Tensor[] members;
    private int count;
    private boolean open = true;

    TensorScope(Device device, String name, TensorScope parent, Tensor[] storage) {
        this.device = device;
        this.name = name;
        this.parent = parent;
        this.members = storage;
    }

    /** {@return the name it was opened with} */
    public String name() {
        return name;
    }

    /** {@return the device whose tensors it owns} */
    public Device device() {
        return device;
    }

    /** {@return whether it has not been closed} */
    public boolean isOpen() {
        return open;
    }

    /** {@return the number of tensors that it owns, without those of inner scopes} */
    public int tensors() {
        return count;
    }

    /**
     * Moves a tensor of this scope, or of one inside it, to the scope around this one. A tensor that lives further out
     * already stays where it is.
     *
     * @return the same tensor
     * @throws IllegalStateException if the tensor or this scope is closed
     */
    public Tensor keep(Tensor tensor) {
        if (!open) {
            throw new IllegalStateException("scope " + name + " is closed; " + tensor + " cannot be kept by it");
        }
        tensor.view();
        if (tensor.device() != device) {
            throw new IllegalArgumentException(tensor + " is on another device than scope " + name);
        }
        for (TensorScope scope = tensor.scope(); scope != null; scope = scope.parent) {
            if (scope == this) {
                if (parent != null) {
                    tensor.scope().remove(tensor);
                    parent.add(tensor);
                }
                break;
            }
        }
        return tensor;
    }

    /**
     * Frees the tensors of this scope. Closing again does nothing.
     *
     * @throws IllegalStateException if a scope opened after this one is still open; nothing is closed then
     */
    @Override
    public void close() {
        if (!open) {
            return;
        }
        device.leave(this);
        closeMembers();
    }

    /** Frees the members, the last made first, and marks the scope closed. */
    void closeMembers() {
        open = false;
        while (count > 0) {
            members[count - 1].release();
        }
        Tensor[] storage = members;
        members = null;
        device.recycle(storage);
    }

    void add(Tensor tensor) {
        if (count == members.length) {
            members = Arrays.copyOf(members, 2 * members.length);
        }
        members[count] = tensor;
        tensor.joined(this, count++);
    }

    /** The last member takes the freed slot. */
    void remove(Tensor tensor) {
        int slot = tensor.slot();
        Tensor last = members[--count];
        members[count] = null;
        if (last != tensor) {
            members[slot] = last;
            last.joined(this, slot);
        }
    }

    /** Another tensor takes a member's slot. */
    void replace(Tensor member, Tensor by) {
        members[member.slot()] = by;
        by.joined(this, member.slot());
    }

    TensorScope parent() {
        return parent;
    }

    /** {@return name, number of tensors, their bytes, age} */
    @Override
    public String toString() {
        return "%s: %d tensors, %,d bytes, %.3f s"
                .formatted(name, count, bytes(), (System.nanoTime() - openedNanos) * 1e-9);
    }

    private long bytes() {
        long bytes = 0;
        for (int i = 0; i < count; i++) {
            bytes += members[i].bytes();
        }
        return bytes;
    }

    /** Appends this scope and its largest tensors to a report, a line each. */
    void describe(StringBuilder text, int depth, int most) {
        text.append("  ".repeat(depth)).append(this).append('\n');
        Tensor[] largest = Arrays.copyOf(members, count);
        Arrays.sort(largest, (a, b) -> Long.compare(b.bytes(), a.bytes()));
        for (int i = 0; i < Math.min(most, largest.length); i++) {
            text.append("  ".repeat(depth + 1))
                    .append(largest[i])
                    .append(" %,d bytes".formatted(largest[i].bytes()))
                    .append('\n');
        }
    }
}
