"""Times a training step of the reference experiment (`report`) in PyTorch.

Two forward passes of G (inference mode for D's step, training mode for its own), D on [real; fake], binary
cross-entropy, two Adams. Random pixels stand in for digits; the cost is the same. Prints one JSON object.
"""

import torch
from timing import adam, glorot, measure, options, prepare, random_images
from torch import nn
from torch.nn import functional as F

LATENT = 100


def generator():
    return nn.Sequential(
        nn.Linear(LATENT, 7 * 7 * 128), nn.Tanh(), nn.BatchNorm1d(7 * 7 * 128, eps=1e-3, momentum=0.01),
        nn.Unflatten(1, (128, 7, 7)),
        nn.Upsample(scale_factor=2), nn.Conv2d(128, 64, 5, padding=2), nn.Tanh(),
        nn.Upsample(scale_factor=2), nn.Conv2d(64, 1, 5, padding=2), nn.Tanh(),
    )  # fmt: skip


def discriminator():
    return nn.Sequential(
        nn.Conv2d(1, 64, 5, padding=2), nn.Tanh(), nn.MaxPool2d(2),
        nn.Conv2d(64, 128, 5, padding=2), nn.Tanh(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(7 * 7 * 128, 1024), nn.ReLU(), nn.Linear(1024, 1),
    )  # fmt: skip


def main():
    args = options(__doc__)
    g, d = generator(), discriminator()
    glorot(g)
    glorot(d)
    g, d = prepare(g, args), prepare(d, args)
    g_optimizer, d_optimizer = adam(g), adam(d)
    images = random_images(args)
    target = torch.cat([torch.ones(args.batch, 1), torch.zeros(args.batch, 1)]).to(args.device)

    def noise():
        return torch.rand(args.batch, LATENT, device=args.device) * 2 - 1

    def step():
        real = images()
        g.eval()
        with torch.no_grad():
            fake = g(noise())
        g.train()
        d.requires_grad_(True)
        d_loss = F.binary_cross_entropy_with_logits(d(torch.cat([real, fake])), target)
        d_optimizer.zero_grad()
        d_loss.backward()
        d_optimizer.step()
        d.requires_grad_(False)
        g_loss = F.binary_cross_entropy_with_logits(d(g(noise())), target[: args.batch])
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()
        return d_loss.item(), g_loss.item()

    measure("report", step, args)


if __name__ == "__main__":
    main()
