/** Generative adversarial networks in Java. */
package dev.cgan.core;
