package dev.cgan.bindings;

/**
 * Adam's constants, {@code cgan_adam_params}.
 *
 * @param weightDecay decoupled, as in AdamW; 0 for none
 */
public record AdamParams(AdamForm form, double beta1, double beta2, double epsilon, double weightDecay) {}
