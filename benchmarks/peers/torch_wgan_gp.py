"""Times a training step of the Wasserstein GAN with gradient penalty (`wgan-gp`) in PyTorch: five updates of the critic,
each on a batch of its own and with a second derivative, then one of G. Prints one JSON object.
"""

import torch
from timing import adam, glorot, measure, options, prepare, random_images
from torch import nn

LATENT, WIDTH, CRITIC_STEPS, PENALTY, TINY = 128, 64, 5, 10, 1e-12


def generator():
    return nn.Sequential(
        nn.Linear(LATENT, 7 * 7 * 4 * WIDTH), nn.ReLU(), nn.Unflatten(1, (4 * WIDTH, 7, 7)),
        nn.ConvTranspose2d(4 * WIDTH, 2 * WIDTH, 4, 2, 1), nn.ReLU(),
        nn.ConvTranspose2d(2 * WIDTH, 1, 4, 2, 1), nn.Tanh(),
    )  # fmt: skip


def critic():
    return nn.Sequential(
        nn.Conv2d(1, WIDTH, 5, 2, 2), nn.LeakyReLU(0.2),
        nn.Conv2d(WIDTH, 2 * WIDTH, 5, 2, 2), nn.LeakyReLU(0.2),
        nn.Conv2d(2 * WIDTH, 4 * WIDTH, 5, 2, 2), nn.LeakyReLU(0.2),
        nn.Flatten(), nn.Linear(4 * 4 * 4 * WIDTH, 1),
    )  # fmt: skip


def main():
    args = options(__doc__)
    g, d = generator(), critic()
    glorot(g)
    glorot(d)
    g, d = prepare(g, args), prepare(d, args)
    g_optimizer, d_optimizer = (adam(network, lr=1e-4, betas=(0.5, 0.9)) for network in (g, d))
    images = random_images(args, batches=CRITIC_STEPS)

    def noise():
        return torch.randn(args.batch, LATENT, device=args.device)

    def penalty(real, fake):
        epsilon = torch.rand(args.batch, 1, 1, 1, device=args.device)
        between = torch.lerp(fake, real, epsilon).requires_grad_(True)
        (slope,) = torch.autograd.grad(d(between).sum(), between, create_graph=True)
        return ((slope.square().sum((1, 2, 3)) + TINY).sqrt() - 1).square().mean()

    def critic_update(real):
        with torch.no_grad():
            fake = g(noise())
        loss = d(fake).mean() - d(real).mean() + PENALTY * penalty(real, fake)
        d_optimizer.zero_grad()
        loss.backward()
        d_optimizer.step()
        return loss

    def step():
        d.requires_grad_(True)
        for real in images().split(args.batch):
            d_loss = critic_update(real)
        d.requires_grad_(False)
        g_loss = -d(g(noise())).mean()
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()
        return d_loss.item(), g_loss.item()

    measure("wgan-gp", step, args)


if __name__ == "__main__":
    main()
