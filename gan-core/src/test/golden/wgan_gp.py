"""Golden run of `wgan-gp` (Gulrajani et al. 2017, algorithm 1) at reduced width, in float64.

G: z -> dense h/4*w/4*4*dim, relu -> conv-transpose 4x4, stride 2, padding 1, 4*dim -> 2*dim, relu -> the same to
channels, tanh. Critic: conv 5x5, stride 2, padding 2, channels -> dim -> 2*dim -> 4*dim, leaky relu 0.2 after each ->
dense 1. No normalisation. The full-size network has dim 64, z 128.

One step: five critic updates, each on its own real batch and noise, of
E D(fake) - E D(real) + 10 E (|grad D(x^)| - 1)^2 with x^ = epsilon*real + (1-epsilon)*fake, epsilon uniform per sample,
the norm over all pixels and channels, sqrt(sum of squares + 1e-12); then one generator update of -E D(G(z)).
Adam: 1e-4, 0.5, 0.9, 1e-7, Keras's form.
"""

import torch
from networks import (
    Adam,
    Draws,
    Margin,
    Recorder,
    add_conv,
    add_conv_transpose,
    add_dense,
    conv,
    conv_transpose,
    dense,
    images,
    names,
    require_grad,
)

CRITIC_STEPS = 5
PENALTY = 10.0


def build(draws, size):
    """Returns the parameters of both networks; every convolution of the critic halves the size, rounding up."""
    params, dim = {}, size["dim"]
    height, width = size["height"], size["width"]
    add_dense(params, draws, "g_dense1", size["z"], height // 4 * (width // 4) * 4 * dim)
    add_conv_transpose(params, draws, "g_conv1", 4 * dim, 2 * dim, 4)
    add_conv_transpose(params, draws, "g_out", 2 * dim, size["channels"], 4)
    add_conv(params, draws, "d_conv1", size["channels"], dim, 5)
    add_conv(params, draws, "d_conv2", dim, 2 * dim, 5)
    add_conv(params, draws, "d_conv3", 2 * dim, 4 * dim, 5)
    for _ in range(3):
        height, width = (height + 1) // 2, (width + 1) // 2
    add_dense(params, draws, "d_out", height * width * 4 * dim, 1)
    return require_grad(params)


def generator(params, margin, size, z):
    h = margin.relu(dense(params, "g_dense1", z))
    h = h.reshape(len(z), size["height"] // 4, size["width"] // 4, 4 * size["dim"])
    h = margin.relu(conv_transpose(params, "g_conv1", h, 2, 1))
    return torch.tanh(conv_transpose(params, "g_out", h, 2, 1))


def critic(params, margin, x):
    for name in ("d_conv1", "d_conv2", "d_conv3"):
        x = margin.relu(conv(params, name, x, stride=2), 0.2)
    return dense(params, "d_out", x.flatten(1)).squeeze(1)


def critic_update(params, margin, size, optimizer, inputs):
    """One critic update; returns its loss, its gradient penalty (times 10) and the two mean scores."""
    real = images(inputs["real"])
    fake = generator(params, margin, size, inputs["z"]).detach()
    epsilon = inputs["epsilon"].reshape(-1, 1, 1, 1)
    between = (epsilon * real + (1 - epsilon) * fake).requires_grad_()
    score = critic(params, margin, between).sum()
    (slope,) = torch.autograd.grad(score, between, create_graph=True)
    norm = torch.sqrt(slope.square().sum((1, 2, 3)) + 1e-12)
    penalty = PENALTY * (norm - 1).square().mean()
    d_real, d_fake = critic(params, margin, real).mean(), critic(params, margin, fake).mean()
    loss = d_fake - d_real + penalty
    optimizer.step(params, loss)
    return {
        "d_loss": loss.item(),
        "penalty": penalty.item(),
        "d_real": d_real.item(),
        "d_fake": d_fake.item(),
    }


def run(seed, size, batch, steps):
    """Returns (margin, tensors, metadata). Inputs of critic update k of step i are step{i}.critic{k}.*."""
    draws, margin = Draws(seed), Margin()
    params = build(draws, size)
    record = Recorder(model="wgan-gp", batch=batch, steps=steps, n_critic=CRITIC_STEPS, penalty=PENALTY, **size)
    record.parameters("init", params)
    optimizers = [Adam(names(params, prefix), 1e-4, 0.5, 0.9, 1e-7) for prefix in ("d_", "g_")]
    for step in range(1, steps + 1):
        updates = []
        for k in range(1, CRITIC_STEPS + 1):
            inputs = {
                "real": draws.pixels(batch, size["height"], size["width"], size["channels"]),
                "z": draws.normal(batch, size["z"]),
                "epsilon": draws.uniform(0, 1, batch),
            }
            record.inputs(step, **{f"critic{k}.{name}": value for name, value in inputs.items()})
            updates.append(critic_update(params, margin, size, optimizers[0], inputs))
        z_g = draws.normal(batch, size["z"])
        record.inputs(step, z_g=z_g)
        g_loss = -critic(params, margin, generator(params, margin, size, z_g)).mean()
        optimizers[1].step(params, g_loss)
        record.losses.append({"critic": updates, "g_loss": g_loss.item()})
    record.parameters("final", params)
    return margin.smallest, *record.result()
