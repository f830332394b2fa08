"""Times a training step of the default conditional model (`cgan`) in PyTorch.

G takes noise and a one-hot label, with batch norm in training mode in both of its forward passes; D is a projection
discriminator; binary cross-entropy, two Adams, and the average of G that sampling uses. Random pixels stand in for
digits; the cost is the same. Prints one JSON object.
"""

import copy

import torch
from timing import adam, glorot, measure, options, prepare, random_images
from torch import nn
from torch.nn import functional as F

LATENT, CLASSES, EMA_DECAY = 100, 10, 0.995


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(LATENT + CLASSES, 7 * 7 * 128, bias=False), nn.Unflatten(1, (128, 7, 7)),
            nn.BatchNorm2d(128), nn.ReLU(),
            nn.Upsample(scale_factor=2), nn.Conv2d(128, 64, 5, padding=2, bias=False), nn.BatchNorm2d(64), nn.ReLU(),
            nn.Upsample(scale_factor=2), nn.Conv2d(64, 1, 5, padding=2), nn.Tanh(),
        )  # fmt: skip

    def forward(self, z, labels):
        return self.net(torch.cat([z, F.one_hot(labels, CLASSES).to(z.dtype)], 1))


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 64, 5, padding=2), nn.MaxPool2d(2), nn.LeakyReLU(0.2),
            nn.Conv2d(64, 128, 5, padding=2), nn.MaxPool2d(2), nn.LeakyReLU(0.2), nn.Flatten(),
            nn.Linear(7 * 7 * 128, 1024), nn.LeakyReLU(0.2),
        )  # fmt: skip
        self.out = nn.Linear(1024, 1)
        self.embedding = nn.Embedding(CLASSES, 1024)

    def forward(self, x, labels):
        f = self.features(x)
        return self.out(f) + (f * self.embedding(labels)).sum(1, keepdim=True)


@torch.no_grad()
def update_average(average, network):
    """Parameters and moving statistics alike."""
    pairs = zip(average.state_dict().values(), network.state_dict().values())
    averages, values = zip(*[(a, b) for a, b in pairs if a.is_floating_point()])
    torch._foreach_lerp_(averages, values, 1 - EMA_DECAY)


def main():
    args = options(__doc__)
    g, d = Generator(), Discriminator()
    glorot(g)
    glorot(d)
    average = copy.deepcopy(g).to(args.device)
    g, d = prepare(g, args), prepare(d, args)
    g_optimizer, d_optimizer = adam(g), adam(d)
    images = random_images(args)
    target = torch.cat([torch.ones(args.batch, 1), torch.zeros(args.batch, 1)]).to(args.device)

    def draw():
        z = torch.randn(args.batch, LATENT, device=args.device)
        return z, torch.randint(0, CLASSES, (args.batch,), device=args.device)

    def step():
        real = images()
        labels = draw()[1]
        z, y = draw()
        with torch.no_grad():
            fake = g(z, y)
        d.requires_grad_(True)
        logits = d(torch.cat([real, fake]), torch.cat([labels, y]))
        d_loss = F.binary_cross_entropy_with_logits(logits, target)
        d_optimizer.zero_grad()
        d_loss.backward()
        d_optimizer.step()
        d.requires_grad_(False)
        z, y = draw()
        g_loss = F.binary_cross_entropy_with_logits(d(g(z, y), y), target[: args.batch])
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()
        update_average(average, g)
        return d_loss.item(), g_loss.item()

    measure("cgan", step, args)


if __name__ == "__main__":
    main()
