package dev.cgan.bindings;

/** A pooling's geometry, {@code cgan_pool2d_params}: windowH * windowW is at most 256, padding less than the window. */
public record Pool2dParams(
        PoolKind kind,
        int windowH,
        int windowW,
        int strideH,
        int strideW,
        int padTop,
        int padLeft,
        int padBottom,
        int padRight) {}
