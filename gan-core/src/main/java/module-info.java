/** Tensors, autograd, layers, losses, optimizers, GAN models and their trainer. */
module dev.cgan.core {
    requires transitive dev.cgan.bindings;
    requires com.fasterxml.jackson.core;
    requires com.fasterxml.jackson.dataformat.yaml;
    requires transitive java.desktop;

    exports dev.cgan;
    exports dev.cgan.autograd;
    exports dev.cgan.data;
    exports dev.cgan.gan;
    exports dev.cgan.image;
    exports dev.cgan.io;
    exports dev.cgan.metric;
    exports dev.cgan.nn;
    exports dev.cgan.optim;
    exports dev.cgan.tensor;
    exports dev.cgan.train;

    uses dev.cgan.data.DatasetProvider;
}
