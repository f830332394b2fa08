"""Golden runs of `report`: the reference experiment's networks and steps at reduced width, in float64.

G: z -> dense h/4*w/4*c2, tanh -> batch norm over features (0.99, 1e-3) -> upsample 2x -> conv 5x5 c2 -> c1, tanh ->
upsample 2x -> conv 5x5 c1 -> channels, tanh. D: conv 5x5 channels -> c1, tanh -> max pool -> conv 5x5 c1 -> c2, tanh ->
max pool -> dense hidden, relu -> dense 1 (logit). The full-size network has c1 64, c2 128, hidden 1024, z 100.

One step: fake = G(z_d) with batch norm in inference mode; D on [real; fake], targets 1 and 0, mean over both halves,
Adam; then G(z_g) with batch norm in training mode, targets 1, mean, Adam. Adam: 2e-4, 0.5, 0.999, 1e-7, Keras's form.
"""

import torch
from networks import (
    Adam,
    Draws,
    Margin,
    Recorder,
    add_batch_norm,
    add_conv,
    add_dense,
    batch_norm,
    conv,
    dense,
    images,
    names,
    require_grad,
)
from operators import upsample2x
from torch.nn import functional as F


def build(draws, size):
    """Returns (parameters, buffers) of both networks."""
    params, buffers = {}, {}
    features = size["height"] // 4 * (size["width"] // 4) * size["c2"]
    add_dense(params, draws, "g_dense1", size["z"], features)
    add_batch_norm(params, draws, buffers, "g_bn1", features)
    add_conv(params, draws, "g_conv1", size["c2"], size["c1"], 5)
    add_conv(params, draws, "g_out", size["c1"], size["channels"], 5)
    add_conv(params, draws, "d_conv1", size["channels"], size["c1"], 5)
    add_conv(params, draws, "d_conv2", size["c1"], size["c2"], 5)
    add_dense(params, draws, "d_dense1", features, size["hidden"])
    add_dense(params, draws, "d_out", size["hidden"], 1)
    return require_grad(params), buffers


def generator(params, buffers, size, z, training):
    h = torch.tanh(dense(params, "g_dense1", z))
    h = batch_norm(params, buffers, "g_bn1", h, training, 0.99, 1e-3)
    h = h.reshape(len(z), size["height"] // 4, size["width"] // 4, size["c2"])
    h = torch.tanh(conv(params, "g_conv1", upsample2x(h)))
    return torch.tanh(conv(params, "g_out", upsample2x(h)))


def discriminator(params, margin, x):
    h = torch.tanh(margin.max_pool2d(conv(params, "d_conv1", x)))
    h = torch.tanh(margin.max_pool2d(conv(params, "d_conv2", h)))
    h = margin.relu(dense(params, "d_dense1", h.flatten(1)))
    return dense(params, "d_out", h).squeeze(1)


def run(seed, size, batch, steps, gradients=False):
    """Returns (margin, tensors, metadata); with `gradients`, those of the first step are recorded too."""
    draws, margin = Draws(seed), Margin()
    params, buffers = build(draws, size)
    record = Recorder(model="report", batch=batch, steps=steps, **size)
    record.parameters("init", params, buffers)
    optimizers = [Adam(names(params, prefix), 2e-4, 0.5, 0.999, 1e-7) for prefix in ("d_", "g_")]
    for step in range(1, steps + 1):
        real = draws.pixels(batch, size["height"], size["width"], size["channels"])
        z_d, z_g = (draws.uniform(-1, 1, batch, size["z"]) for _ in range(2))
        record.inputs(step, real=real, z_d=z_d, z_g=z_g)

        fake = generator(params, buffers, size, z_d, training=False).detach()
        logits = discriminator(params, margin, torch.cat([images(real), fake]))
        target = torch.cat([torch.ones(batch), torch.zeros(batch)]).double()
        d_loss = F.binary_cross_entropy_with_logits(logits, target)
        d_grads = optimizers[0].step(params, d_loss)

        g_logits = discriminator(params, margin, generator(params, buffers, size, z_g, training=True))
        g_loss = F.binary_cross_entropy_with_logits(g_logits, torch.ones(batch).double())
        g_grads = optimizers[1].step(params, g_loss)

        d_real, d_fake = torch.sigmoid(logits[:batch]).mean(), torch.sigmoid(logits[batch:]).mean()
        record.losses.append(
            {"d_loss": d_loss.item(), "g_loss": g_loss.item(), "d_real": d_real.item(), "d_fake": d_fake.item()}
        )
        if gradients and step == 1:
            record.parameters("grad", d_grads, g_grads)
    record.parameters("final", params, buffers)
    return margin.smallest, *record.result()
