"""What the peers' timing scripts share: options, the loop, one line of JSON as the result."""

import argparse
import json
import resource
import statistics
import time

import torch


def options(description):
    """Returns the parsed options that every timing script takes."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--layout", choices=["nchw", "channels_last"], default="channels_last")
    parser.add_argument("--steps", type=int, default=20, help="timed steps, after the warm-up")
    parser.add_argument("--warmup", type=int, default=5)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--compile", action="store_true", help="torch.compile both networks")
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
        if isinstance(layer, (torch.nn.Linear, torch.nn.Conv2d, torch.nn.Embedding)):
            torch.nn.init.xavier_uniform_(layer.weight)
            if getattr(layer, "bias", None) is not None:
                torch.nn.init.zeros_(layer.bias)


def adam(network):
    """The reference's optimiser, fused, PyTorch's fastest; it adds epsilon after bias correction, at the same cost."""
    return torch.optim.Adam(network.parameters(), lr=2e-4, betas=(0.5, 0.999), eps=1e-7, fused=True)


def measure(name, step, args):
    """Times `step()`, which returns the two losses as floats, and prints the result as JSON."""
    seconds = []
    for i in range(args.warmup + args.steps):
        start = time.perf_counter()
        losses = step()
        if i >= args.warmup:
            seconds.append(time.perf_counter() - start)
    result = {
        "peer": f"pytorch {torch.__version__}",
        "model": name,
        "median_seconds": statistics.median(seconds),
        "fastest_seconds": min(seconds),
        "slowest_seconds": max(seconds),
        "peak_resident_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "d_loss": losses[0],
        "g_loss": losses[1],
        **vars(args),
    }
    print(json.dumps(result))
