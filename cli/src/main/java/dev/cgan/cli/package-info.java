/** The picocli commands of {@code cgan-cli}. */
package dev.cgan.cli;
