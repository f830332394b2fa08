"""Times a training step of the deep convolutional GAN (`dcgan`) in PyTorch, for images such as 64x64x3 or 28x28x1.

Transposed convolutions in G, strided ones in D, batch norm between; D sees real and generated images as two batches,
each with its own statistics; binary cross-entropy, two Adams. Prints one JSON object.
"""

import torch
from timing import adam, measure, options, prepare, random_images
from torch import nn
from torch.nn import functional as F

LATENT, WIDTH = 100, 64


def halvings(height, width):
    """Images are halved until a side would be odd or less than 4, at least twice."""
    count = 2
    while all(side >> count >= 8 and (side >> count) % 2 == 0 for side in (height, width)):
        count += 1
    return count


def generator(height, width, channels):
    n = halvings(height, width)
    h, w, c = height >> n, width >> n, WIDTH << (n - 1)
    layers = [nn.Linear(LATENT, h * w * c, bias=False), nn.Unflatten(1, (c, h, w)), nn.BatchNorm2d(c), nn.ReLU(True)]
    for _ in range(1, n):
        layers += [nn.ConvTranspose2d(c, c // 2, 4, 2, 1, bias=False), nn.BatchNorm2d(c // 2), nn.ReLU(True)]
        c //= 2
    return nn.Sequential(*layers, nn.ConvTranspose2d(c, channels, 4, 2, 1), nn.Tanh())


def discriminator(height, width, channels):
    n, c = halvings(height, width), WIDTH
    layers = [nn.Conv2d(channels, c, 4, 2, 1), nn.LeakyReLU(0.2, True)]
    for _ in range(1, n):
        layers += [nn.Conv2d(c, 2 * c, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * c), nn.LeakyReLU(0.2, True)]
        c *= 2
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear((height >> n) * (width >> n) * c, 1))


def initialize(network):
    """The paper's: weights from N(0, 0.02), batch norm's scales from N(1, 0.02)."""
    for layer in network.modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(layer.weight, 0, 0.02)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1, 0.02)


def main():
    args = options(__doc__, lambda parser: parser.add_argument("--image", default="64x64x3"))
    height, width, channels = map(int, args.image.split("x"))
    g, d = generator(height, width, channels), discriminator(height, width, channels)
    initialize(g)
    initialize(d)
    g, d = prepare(g, args), prepare(d, args)
    g_optimizer, d_optimizer = adam(g), adam(d)
    images = random_images(args, height, width, channels)

    def noise():
        return torch.rand(args.batch, LATENT, device=args.device) * 2 - 1

    def step():
        real = images()
        with torch.no_grad():
            fake = g(noise())
        d.requires_grad_(True)
        d_loss = (F.softplus(-d(real)).mean() + F.softplus(d(fake)).mean()) * 0.5
        d_optimizer.zero_grad()
        d_loss.backward()
        d_optimizer.step()
        d.requires_grad_(False)
        g_loss = F.softplus(-d(g(noise()))).mean()
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()
        return d_loss.item(), g_loss.item()

    measure(f"dcgan {args.image}", step, args)


if __name__ == "__main__":
    main()
