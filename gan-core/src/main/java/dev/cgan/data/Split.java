package dev.cgan.data;

/** Which part of a data set that comes in two. */
public enum Split {
    /** The images to train on. */
    TRAIN,
    /** The images held back. */
    TEST
}
