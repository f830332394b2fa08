/** The loader of libcgan and the one hand-written class that calls the functions of {@code cgan.h}. */
package dev.cgan.bindings;
