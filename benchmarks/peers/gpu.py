#!/usr/bin/env python3
"""What gpu-check.sh asks of Python: holds our training on a GPU against PyTorch's, and sums up what other steps wrote.

    gpu.py duel MODEL [options] -- COMMAND...     COMMAND is our TrainingPeer; PyTorch runs torch_MODEL.py
    gpu.py run METRICS                            a run's metrics.jsonl
    gpu.py kernels TABLE                          the kernel benchmark's table
    gpu.py steps TABLE                            the step benchmark's table

Each prints one line.
"""

import argparse
import csv
import json
import math
import statistics
import sys
from pathlib import Path

from contest import ContestError, duel

PEERS = Path(__file__).resolve().parent


def torch_command(options, *more):
    script = PEERS / f"torch_{options.model}.py"
    device = ["--device", options.torch_device, "--batch", str(options.batch)]
    return [sys.executable, str(script), "--serve", *device, *more], None


def hold_against_torch(options):
    rivals = {"PyTorch eager": torch_command(options)}
    if not options.eager_only:
        rivals["PyTorch compiled"] = torch_command(options, "--compile")
    seconds = duel({"ours": (options.command, None), **rivals}, options)
    mine = statistics.median(seconds.pop("ours"))
    texts = [f"{mine * 1e3:.3f} ms a step"]
    for name, theirs in seconds.items():
        theirs = statistics.median(theirs)
        texts.append(f"{name} {theirs * 1e3:.3f} ms ({theirs / mine:.2f}x)")
    return "; ".join(texts)


def describe_run(options):
    rows = [json.loads(line) for line in Path(options.file).read_text().splitlines()]
    if not all(math.isfinite(row[name]) for row in rows for name in ("d_loss", "g_loss")):
        sys.exit("a loss is not a finite number")
    settled = rows[len(rows) // 2 :]
    median = statistics.median(row["seconds"] for row in settled)
    d_loss, g_loss = (statistics.fmean(row[name] for row in settled[-100:]) for name in ("d_loss", "g_loss"))
    return f"{len(rows)} steps, {median * 1e3:.3f} ms each; d_loss {d_loss:.3f}, g_loss {g_loss:.3f} at the end"


def rows_of(table):
    with open(table, newline="") as file:
        return list(csv.DictReader(file))


def describe_kernels(options):
    """`seconds` of each pair of operator and shape, by candidate."""
    times = {}
    for row in rows_of(options.file):
        times.setdefault((row["operator"], row["shape"]), {})[row["kernels"]] = float(row["seconds"])
    ratios = [each["vendor"] / each["handwritten"] for each in times.values() if {"vendor", "handwritten"} <= each.keys()]
    if not times:
        sys.exit("the table is empty")
    if not ratios:
        return f"{len(times)} operators and shapes, ours alone"
    mean = statistics.geometric_mean(ratios)
    faster = sum(ratio > 1 for ratio in ratios)
    return f"{len(times)} operators and shapes; ours {mean:.2f}x as fast as the vendor's, faster in {faster} of {len(ratios)}"


def describe_steps(options):
    """A step of each model, replayed as a graph and, where that was measured too, operator by operator."""
    names = {"auto": "replayed", "off": "eager"}
    times = {}
    for row in rows_of(options.file):
        times.setdefault(row["Param: model"], []).append(f"{float(row['Score']):.3f} {names[row['Param: graph']]}")
    return "ms a step: " + "; ".join(f"{model} {', '.join(each)}" for model, each in times.items())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    contest = commands.add_parser("duel")
    contest.set_defaults(run=hold_against_torch)
    contest.add_argument("model")
    contest.add_argument("--warmup", type=int, default=200)
    contest.add_argument("--steps", type=int, default=1000)
    contest.add_argument("--turn", type=int, default=100)
    contest.add_argument("--batch", type=int, default=64)
    contest.add_argument("--torch-device", default="cuda")
    contest.add_argument("--eager-only", action="store_true")
    contest.add_argument("command", nargs="+")
    for name, describe in (("run", describe_run), ("kernels", describe_kernels), ("steps", describe_steps)):
        reader = commands.add_parser(name)
        reader.set_defaults(run=describe)
        reader.add_argument("file")
    options = parser.parse_args()
    try:
        print(options.run(options))
    except ContestError as e:
        sys.exit(str(e))


if __name__ == "__main__":
    main()
