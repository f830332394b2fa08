"""Golden run of `cgan`, the default conditional model, at reduced width, in float64.

G: [z, one-hot label] -> dense h/4*w/4*c2 without bias -> reshape -> batch norm over channels (momentum 0.9, epsilon
1e-5), relu -> upsample 2x -> conv 5x5 c2 -> c1 without bias -> batch norm, relu -> upsample 2x -> conv 5x5 c1 ->
channels, tanh. D: conv 5x5 channels -> c1 -> max pool, leaky relu 0.2 -> conv 5x5 c1 -> c2 -> max pool, leaky relu ->
dense hidden, leaky relu = f; logit = dense 1 (f) + <f, embedding of the label> (projection; Miyato and Koyama 2018).
The full-size network has c1 64, c2 128, hidden 1024, z 100.

One step: fake = G(z_d, y_d), batch norm in training mode; D on [real; fake] with labels [y; y_d], targets 1 and 0, mean
of binary cross-entropy over both halves, Adam; then G(z_g, y_g), batch norm in training mode, targets 1, mean, Adam.
Both forward passes of G update the moving statistics. Adam: 2e-4, 0.5, 0.999, 1e-7, Keras's form. After step t the
average of G follows, parameters and moving statistics alike: ema = d*ema + (1-d)*value, d = min(0.995, (1+t)/(10+t)),
from the initial values.
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

CLASSES = 10
EMA_DECAY = 0.995


def build(draws, size):
    """Returns (parameters, buffers) of both networks."""
    params, buffers = {}, {}
    features = size["height"] // 4 * (size["width"] // 4) * size["c2"]
    add_dense(params, draws, "g_dense1", size["z"] + CLASSES, features)
    add_batch_norm(params, draws, buffers, "g_bn1", size["c2"])
    add_conv(params, draws, "g_conv1", size["c2"], size["c1"], 5)
    add_batch_norm(params, draws, buffers, "g_bn2", size["c1"])
    add_conv(params, draws, "g_out", size["c1"], size["channels"], 5)
    for followed_by_norm in ("g_dense1", "g_conv1"):
        del params[f"{followed_by_norm}.bias"]
    add_conv(params, draws, "d_conv1", size["channels"], size["c1"], 5)
    add_conv(params, draws, "d_conv2", size["c1"], size["c2"], 5)
    add_dense(params, draws, "d_dense1", features, size["hidden"])
    add_dense(params, draws, "d_out", size["hidden"], 1)
    params["d_embedding.weight"] = draws.glorot((CLASSES, size["hidden"]), CLASSES, size["hidden"])
    return require_grad(params), buffers


def generator(params, buffers, margin, size, z, labels):
    h = dense(params, "g_dense1", torch.cat([z, F.one_hot(labels, CLASSES).double()], 1))
    h = h.reshape(len(z), size["height"] // 4, size["width"] // 4, size["c2"])
    h = margin.relu(batch_norm(params, buffers, "g_bn1", h, True, 0.9, 1e-5))
    h = conv(params, "g_conv1", upsample2x(h))
    h = margin.relu(batch_norm(params, buffers, "g_bn2", h, True, 0.9, 1e-5))
    return torch.tanh(conv(params, "g_out", upsample2x(h)))


def discriminator(params, margin, x, labels):
    h = margin.relu(margin.max_pool2d(conv(params, "d_conv1", x)), 0.2)
    h = margin.relu(margin.max_pool2d(conv(params, "d_conv2", h)), 0.2)
    h = margin.relu(dense(params, "d_dense1", h.flatten(1)), 0.2)
    return dense(params, "d_out", h).squeeze(1) + (h * params["d_embedding.weight"][labels]).sum(1)


def update_average(average, values, step):
    decay = min(EMA_DECAY, (1 + step) / (10 + step))
    for name in average:
        average[name] = decay * average[name] + (1 - decay) * values[name].detach()


def run(seed, size, batch, steps):
    """Returns (margin, tensors, metadata); the file also holds `ema.PARAMETER`, the average after the last step."""
    draws, margin = Draws(seed), Margin()
    params, buffers = build(draws, size)
    record = Recorder(model="cgan", batch=batch, steps=steps, classes=CLASSES, ema_decay=EMA_DECAY, **size)
    record.parameters("init", params, buffers)
    average = {name: value.detach() for name, value in (params | buffers).items() if name.startswith("g_")}
    optimizers = [Adam(names(params, prefix), 2e-4, 0.5, 0.999, 1e-7) for prefix in ("d_", "g_")]
    for step in range(1, steps + 1):
        real, y = draws.pixels(batch, size["height"], size["width"], size["channels"]), draws.labels(batch)
        z_d, y_d, z_g, y_g = (draw for _ in range(2) for draw in (draws.normal(batch, size["z"]), draws.labels(batch)))
        record.inputs(step, real=real, labels=y, z_d=z_d, y_d=y_d, z_g=z_g, y_g=y_g)

        fake = generator(params, buffers, margin, size, z_d, y_d).detach()
        logits = discriminator(params, margin, torch.cat([images(real), fake]), torch.cat([y, y_d]))
        target = torch.cat([torch.ones(batch), torch.zeros(batch)]).double()
        d_loss = F.binary_cross_entropy_with_logits(logits, target)
        optimizers[0].step(params, d_loss)

        g_logits = discriminator(params, margin, generator(params, buffers, margin, size, z_g, y_g), y_g)
        g_loss = F.binary_cross_entropy_with_logits(g_logits, torch.ones(batch).double())
        optimizers[1].step(params, g_loss)
        update_average(average, params | buffers, step)

        d_real, d_fake = torch.sigmoid(logits[:batch]).mean(), torch.sigmoid(logits[batch:]).mean()
        record.losses.append(
            {"d_loss": d_loss.item(), "g_loss": g_loss.item(), "d_real": d_real.item(), "d_fake": d_fake.item()}
        )
    record.parameters("final", params, buffers)
    record.parameters("ema", average)
    return margin.smallest, *record.result()
