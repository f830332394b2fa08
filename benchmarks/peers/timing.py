"""What the peers' PyTorch scripts share: options, layouts, optimisers, and the step that a script times."""

import argparse

import serving
import torch


def options(description, add=lambda parser: None):
    """Returns the parsed options that every timing script takes, and those that `add(parser)` defines."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    serving.add_options(parser)
    parser.add_argument("--layout", choices=["nchw", "channels_last"], default="channels_last")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--compile", action="store_true", help="torch.compile the networks")
    add(parser)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    return args


def prepare(network, args):
    """Returns `network` on the chosen device, in the chosen layout, compiled if asked for."""
    layout = torch.channels_last if args.layout == "channels_last" else torch.contiguous_format
    network = network.to(args.device, memory_format=layout)
    return torch.compile(network) if args.compile else network


def glorot(network):
    """Glorot uniform weights and zero biases for dense, convolution and embedding layers."""
    for layer in network.modules():
        if isinstance(layer, (torch.nn.Linear, torch.nn.Conv2d, torch.nn.ConvTranspose2d, torch.nn.Embedding)):
            torch.nn.init.xavier_uniform_(layer.weight)
            if getattr(layer, "bias", None) is not None:
                torch.nn.init.zeros_(layer.bias)


def adam(network, lr=2e-4, betas=(0.5, 0.999)):
    """Keras's Adam, fused, PyTorch's fastest; PyTorch adds epsilon after bias correction, at the same cost."""
    return torch.optim.Adam(network.parameters(), lr=lr, betas=betas, eps=1e-7, fused=True)


def random_images(args, height=28, width=28, channels=1, batches=1):
    """Returns a function that gives the next images [n, c, h, w] in [-1, 1]; random bytes stand in for pictures."""
    n = args.batch * batches
    pixels = torch.randint(0, 256, (32, n, channels, height, width), dtype=torch.uint8)
    count = 0

    def next_images():
        nonlocal count
        real = (pixels[count % len(pixels)].to(args.device).float() - 127.5) / 127.5
        count += 1
        return real

    return next_images


def measure(name, step, args):
    """Times `step()`, which returns the two losses as floats, as `args` ask for."""
    serving.measure(f"pytorch {torch.__version__}", name, step, args)
