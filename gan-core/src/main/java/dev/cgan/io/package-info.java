/**
 * Files: safetensors, atomic writing, JSON and YAML, the directory of a run, its metrics and its checkpoints.
 *
 * <p>Everything here works on host memory alone. A file that cannot be read raises {@link
 * dev.cgan.io.InvalidFileException}, one that cannot be written {@link dev.cgan.io.FileWriteException}, a setting that
 * makes no sense {@link dev.cgan.io.ConfigException}; each names the thing, the value and the remedy.
 */
package dev.cgan.io;
