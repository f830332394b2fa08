package dev.cgan.bindings;

/**
 * A device that libcgan knows of.
 *
 * @param name the name it is opened by
 * @param available whether it can be opened
 * @param description what it is, or why it cannot be opened
 */
public record DeviceInfo(String name, boolean available, String description) {}
