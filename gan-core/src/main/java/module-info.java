/** Tensors, autograd, layers, losses, optimizers, GAN models and their trainer. */
module dev.cgan.core {
    requires dev.cgan.bindings;
    requires com.fasterxml.jackson.databind;
    requires java.desktop;
    requires xchart;
}
