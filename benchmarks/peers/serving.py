"""How a peer times its training step, whatever its framework: alone, or in turns with its rivals.

Alone, it makes some steps to warm up, times some more, and prints one line of JSON. With `--serve` it prints a line when
its networks are made, then answers each line of its input, a number of steps, with a line of JSON: their seconds.
"""

import json
import resource
import statistics
import sys
import time


def add_options(parser):
    """Adds the options that every peer takes."""
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=20, help="timed steps, after the warm-up")
    parser.add_argument("--warmup", type=int, default=5)
    parser.add_argument("--serve", action="store_true", help="make as many steps as each line of the input says")


def run(step, count):
    """Returns the seconds of each of `count` steps, and the losses of the last."""
    seconds, losses = [], ()
    for _ in range(count):
        start = time.perf_counter()
        losses = step()
        seconds.append(time.perf_counter() - start)
    return seconds, losses


def say(result):
    print(json.dumps(result), flush=True)


def measure(peer, model, step, args):
    """Times `step()`, which returns the two losses as floats, as `args` ask for."""
    if args.serve:
        say({"peer": peer, "model": model})
        for line in sys.stdin:
            seconds, losses = run(step, int(line))
            say({"seconds": seconds, "losses": losses})
        return
    run(step, args.warmup)
    seconds, losses = run(step, args.steps)
    say(
        {
            "peer": peer,
            "model": model,
            "median_seconds": statistics.median(seconds),
            "fastest_seconds": min(seconds),
            "slowest_seconds": max(seconds),
            "peak_resident_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "d_loss": losses[0],
            "g_loss": losses[1],
            **vars(args),
        }
    )
