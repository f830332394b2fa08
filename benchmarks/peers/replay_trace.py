"""Replays the steps that `cgan-cli train --trace N` recorded, in PyTorch, and compares the losses.

Reads nothing but the folder `trace/` of a run; docs/trace.md says what is in it. Steps follow each other, so an error in
a gradient or an update shows in the losses of the next step. Exits with 1 if a figure differs by more than --tolerance.

    cgan-cli train report --steps 10 --trace 10 --out runs/traced
    python replay_trace.py runs/traced/trace
"""

import argparse
import json
import math
import sys
from pathlib import Path

import torch
from safetensors import safe_open
from torch.nn import functional as F


class Networks:
    """Parameters and buffers by their names in the file, and the layers that use them. Images are N, C, H, W in here."""

    def __init__(self, tensors, dtype):
        self.values = {name: value.to(dtype) for name, value in tensors.items()}
        self.has_gradient = [name for name in self.values if "running" not in name]

    def parameters(self, prefix):
        return [name for name in self.has_gradient if name.startswith(prefix)]

    def layers(self, prefix):
        """The numbers of g_conv1, g_conv2, ... that exist."""
        return [i for i in range(1, 99) if f"{prefix}{i}.weight" in self.values]

    def dense(self, name, x):
        return F.linear(x, self.values[f"{name}.weight"], self.values.get(f"{name}.bias"))

    def conv(self, name, x, stride=1, padding=2):
        weight = self.values[f"{name}.weight"].permute(0, 3, 1, 2)
        return F.conv2d(x, weight, self.values.get(f"{name}.bias"), stride, padding)

    def up_conv(self, name, x):
        return self.conv(name, F.interpolate(x, scale_factor=2, mode="nearest"))

    def transposed_conv(self, name, x):
        weight = self.values[f"{name}.weight"].permute(0, 3, 1, 2)
        return F.conv_transpose2d(x, weight, self.values.get(f"{name}.bias"), 2, 1)

    def norm(self, name, x, momentum, epsilon, training=True):
        """Batch normalisation over all axes but 1; the running variance takes the biased variance of a batch."""
        mean, variance = self.values[f"{name}.running_mean"], self.values[f"{name}.running_var"]
        if training:
            axes = [axis for axis in range(x.dim()) if axis != 1]
            old = {"running_mean": mean, "running_var": variance}
            mean, variance = x.mean(axes), x.var(axes, unbiased=False)
            for role, now in {"running_mean": mean, "running_var": variance}.items():
                self.values[f"{name}.{role}"] = momentum * old[role] + (1 - momentum) * now.detach()
        across = (-1,) + (1,) * (x.dim() - 2)
        scale = self.values[f"{name}.gamma"] / torch.sqrt(variance + epsilon)
        return (x - mean.view(across)) * scale.view(across) + self.values[f"{name}.beta"].view(across)

    def unflatten(self, x, shape):
        """Rows in the order row, column, channel to images of this height and width."""
        height, width = shape
        return x.reshape(len(x), height, width, -1).permute(0, 3, 1, 2)

    @staticmethod
    def flatten(x):
        return x.permute(0, 2, 3, 1).flatten(1)


def one_hot(values, labels, classes):
    return torch.cat([values, F.one_hot(labels, classes).to(values.dtype)], 1)


class Report(Networks):
    """The reference experiment; with an embedding, its conditional form."""

    @property
    def conditional(self):
        return "d_embedding.weight" in self.values

    def generator(self, z, labels, size, training):
        if self.conditional:
            z = one_hot(z, labels, len(self.values["d_embedding.weight"]))
        h = torch.tanh(self.dense("g_dense1", z))
        h = self.unflatten(self.norm("g_bn1", h, 0.99, 1e-3, training), (size[0] // 4, size[1] // 4))
        return torch.tanh(self.up_conv("g_out", torch.tanh(self.up_conv("g_conv1", h))))

    def discriminator(self, x, labels):
        if self.conditional:
            plane = self.values["d_embedding.weight"][labels].reshape(len(x), 1, *x.shape[2:])
            x = torch.cat([x, plane], 1)
        for name in ("d_conv1", "d_conv2"):
            x = F.max_pool2d(torch.tanh(self.conv(name, x)), 2)
        return self.dense("d_out", torch.relu(self.dense("d_dense1", self.flatten(x)))).squeeze(1)

    def draw(self, draws, which, size, training):
        labels = draws[f"y_{which}"] if self.conditional else draws["labels"]
        return self.generator(draws[f"z_{which}"], labels, size, training), labels


class Cgan(Report):
    """The default model: always conditional; D multiplies features and the embedding of the label."""

    conditional = True

    def generator(self, z, labels, size, training):
        h = self.dense("g_dense1", one_hot(z, labels, len(self.values["d_embedding.weight"])))
        h = self.unflatten(h, (size[0] // 4, size[1] // 4))
        h = torch.relu(self.norm("g_bn1", h, 0.9, 1e-5))
        h = torch.relu(self.norm("g_bn2", self.up_conv("g_conv1", h), 0.9, 1e-5))
        return torch.tanh(self.up_conv("g_out", h))

    def discriminator(self, x, labels):
        for name in ("d_conv1", "d_conv2"):
            x = F.max_pool2d(F.leaky_relu(self.conv(name, x), 0.2), 2)
        f = F.leaky_relu(self.dense("d_dense1", self.flatten(x)), 0.2)
        return self.dense("d_out", f).squeeze(1) + (f * self.values["d_embedding.weight"][labels]).sum(1)


class Dcgan(Networks):
    """Strided and transposed convolutions; D sees real and generated images as two batches."""

    def generator(self, z, size):
        halvings = 1 + len(self.layers("g_conv"))
        h = self.unflatten(self.dense("g_dense1", z), (size[0] >> halvings, size[1] >> halvings))
        h = torch.relu(self.norm("g_bn1", h, 0.9, 1e-5))
        for i in self.layers("g_conv"):
            h = torch.relu(self.norm(f"g_bn{i + 1}", self.transposed_conv(f"g_conv{i}", h), 0.9, 1e-5))
        return torch.tanh(self.transposed_conv("g_out", h))

    def discriminator(self, x):
        x = F.leaky_relu(self.conv("d_conv1", x, 2, 1), 0.2)
        for i in self.layers("d_conv")[1:]:
            x = F.leaky_relu(self.norm(f"d_bn{i}", self.conv(f"d_conv{i}", x, 2, 1), 0.9, 1e-5), 0.2)
        return self.dense("d_out", self.flatten(x)).squeeze(1)


class WganGp(Networks):
    """A critic without normalisation, whose slope is held near 1."""

    def generator(self, z, size):
        h = self.unflatten(torch.relu(self.dense("g_dense1", z)), (size[0] // 4, size[1] // 4))
        return torch.tanh(self.transposed_conv("g_out", torch.relu(self.transposed_conv("g_conv1", h))))

    def critic(self, x):
        for name in ("d_conv1", "d_conv2", "d_conv3"):
            x = F.leaky_relu(self.conv(name, x, stride=2), 0.2)
        return self.dense("d_out", self.flatten(x)).squeeze(1)

    def penalty(self, real, fake, epsilon):
        between = (fake + epsilon.reshape(-1, 1, 1, 1) * (real - fake)).requires_grad_()
        (slope,) = torch.autograd.grad(self.critic(between).sum(), between, create_graph=True)
        return (torch.sqrt(slope.square().sum((1, 2, 3)) + 1e-12) - 1).square().mean()


class Adam:
    """Keras's form: step size lr * sqrt(1 - beta2^t) / (1 - beta1^t), update m / (sqrt(v) + 1e-7)."""

    def __init__(self, networks, names, settings):
        self.networks, self.names = networks, names
        self.lr, self.beta1, self.beta2 = (settings[key] for key in ("lr", "beta1", "beta2"))
        self.moments = {name: (0.0, 0.0) for name in names}
        self.t = 0

    def minimize(self, loss, rate):
        """`rate`: what the schedule makes of the learning rate at this step, as a factor."""
        values = self.networks.values
        self.t += 1
        lr = rate * self.lr * math.sqrt(1 - self.beta2**self.t) / (1 - self.beta1**self.t)
        for name, gradient in zip(self.names, torch.autograd.grad(loss, [values[name] for name in self.names])):
            m, v = self.moments[name]
            m = self.beta1 * m + (1 - self.beta1) * gradient
            v = self.beta2 * v + (1 - self.beta2) * gradient.square()
            self.moments[name] = m, v
            values[name] = (values[name].detach() - lr * m / (v.sqrt() + 1e-7)).requires_grad_()


def objective(name):
    """The losses of D (of its outputs for real and generated images) and of G (of D's for generated ones), and p(D)."""
    cross_entropy = lambda real, fake: (F.softplus(-real).mean() + F.softplus(fake).mean()) / 2  # noqa: E731
    half_square = lambda x, target: (x - target).square().mean() / 2  # noqa: E731
    return {
        "non-saturating": (cross_entropy, lambda fake: F.softplus(-fake).mean(), torch.sigmoid),
        "minimax": (cross_entropy, lambda fake: -F.softplus(fake).mean() / 2, torch.sigmoid),
        "least-squares": (
            lambda real, fake: half_square(real, 1) + half_square(fake, 0), lambda fake: half_square(fake, 1), torch.clone
        ),
        "hinge": (
            lambda real, fake: F.relu(1 - real).mean() + F.relu(1 + fake).mean(), lambda fake: -fake.mean(), torch.sigmoid
        ),
        "wasserstein": (lambda real, fake: fake.mean() - real.mean(), lambda fake: -fake.mean(), torch.clone),
    }[name]  # fmt: skip


def two_player_step(nets, draws, optimizers, losses, rate):
    """`report`, `cgan` and `dcgan`: one update of D, one of G."""
    d_loss_of, g_loss_of, probability = losses
    real, size = draws["real"], draws["real"].shape[2:]
    if isinstance(nets, Dcgan):
        with torch.no_grad():
            fake = nets.generator(draws["z_d"], size)
        on_real, on_fake = nets.discriminator(real), nets.discriminator(fake)
    else:
        with torch.no_grad():
            fake, labels = nets.draw(draws, "d", size, training=isinstance(nets, Cgan))
        logits = nets.discriminator(torch.cat([real, fake]), torch.cat([draws["labels"], labels]))
        on_real, on_fake = logits[: len(real)], logits[len(real) :]
    d_loss = d_loss_of(on_real, on_fake)
    optimizers["d_"].minimize(d_loss, rate)

    if isinstance(nets, Dcgan):
        g_loss = g_loss_of(nets.discriminator(nets.generator(draws["z_g"], size)))
    else:
        g_loss = g_loss_of(nets.discriminator(*nets.draw(draws, "g", size, training=True)))
    optimizers["g_"].minimize(g_loss, rate)
    return figures(d_loss, g_loss, probability(on_real), probability(on_fake))


def critic_step(nets, draws, optimizers, settings, rate):
    """`wgan-gp`: several updates of the critic, then one of G."""
    size = draws["real"].shape[2:]
    for k, real in enumerate(draws["real"].chunk(settings["critic_steps"]), 1):
        with torch.no_grad():
            fake = nets.generator(draws[f"critic{k}.z"], size)
        on_real, on_fake = nets.critic(real), nets.critic(fake)
        penalty = nets.penalty(real, fake, draws[f"critic{k}.epsilon"])
        d_loss = on_fake.mean() - on_real.mean() + settings["penalty"] * penalty
        optimizers["d_"].minimize(d_loss, rate)
    g_loss = -nets.critic(nets.generator(draws["z_g"], size)).mean()
    optimizers["g_"].minimize(g_loss, rate)
    return figures(d_loss, g_loss, on_real, on_fake)


def figures(d_loss, g_loss, on_real, on_fake):
    return {
        "d_loss": d_loss.item(), "g_loss": g_loss.item(),
        "d_real": on_real.mean().item(), "d_fake": on_fake.mean().item(),
    }  # fmt: skip


def scheduled(settings, step, steps):
    """The factor of the learning rate at a step."""
    done = (step - 1) / steps
    return {
        "constant": 1.0, "linear": 1 - done, "cosine": (1 + math.cos(math.pi * done)) / 2,
    }[settings["schedule"]]  # fmt: skip


def read(path):
    with safe_open(path, "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata()


def replay(folder, dtype):
    """Yields (step, figure, ours, recorded)."""
    tensors, metadata = read(folder / "init.safetensors")
    config = json.loads(metadata["config"])
    settings = config["settings"]
    nets = {"report": Report, "cgan": Cgan, "dcgan": Dcgan, "wgan-gp": WganGp}[config["model"]](tensors, dtype)
    for name in nets.has_gradient:
        nets.values[name].requires_grad_()
    optimizers = {prefix: Adam(nets, nets.parameters(prefix), settings) for prefix in ("d_", "g_")}
    files = sorted(folder.glob("step-*.safetensors"))
    if not files:
        sys.exit(f"no step-*.safetensors in {folder}; train with --trace N")
    for file in files:
        draws, metadata = read(file)
        draws = {name: value.to(dtype) if value.is_floating_point() else value for name, value in draws.items()}
        draws["real"] = draws["real"].permute(0, 3, 1, 2)
        step = int(metadata["step"])
        rate = scheduled(settings, step, config["steps"])
        if isinstance(nets, WganGp):
            ours = critic_step(nets, draws, optimizers, settings, rate)
        else:
            ours = two_player_step(nets, draws, optimizers, objective(settings["objective"]), rate)
        for name, value in ours.items():
            yield step, name, value, float(metadata[name])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trace", type=Path, help="folder trace/ of a run")
    parser.add_argument("--dtype", choices=["float32", "float64"], default="float64", help="precision (float64)")
    parser.add_argument("--tolerance", type=float, default=1e-4, help="of each figure, absolute and relative (1e-4)")
    args = parser.parse_args()
    worst = 0.0
    for step, name, ours, recorded in replay(args.trace, getattr(torch, args.dtype)):
        error = abs(ours - recorded) / max(1.0, abs(recorded))
        worst = max(worst, error) if error == error else math.inf
        if not error <= args.tolerance:
            print(f"step {step}: {name} is {ours:.7g}, recorded {recorded:.7g}")
        elif name == "d_loss":
            print(f"step {step}: d_loss {ours:.7g}, recorded {recorded:.7g}")
    print(f"largest difference {worst:.2g}, tolerance {args.tolerance:g}")
    sys.exit(0 if worst <= args.tolerance else 1)


if __name__ == "__main__":
    main()
