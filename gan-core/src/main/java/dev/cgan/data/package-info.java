/**
 * Training data on the host: data sets of labelled 8-bit images, the files they come from, and the order in which a run
 * reads them.
 *
 * <p>The batch of a step is a pure function of the data, the seed and the step, so a resumed run needs the step alone.
 */
package dev.cgan.data;
