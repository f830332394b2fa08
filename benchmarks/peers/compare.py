#!/usr/bin/env python3
"""Holds our training against PyTorch's, Keras's and others': the same networks, batches and threads, taking turns.

    benchmarks/peers/compare.py                            everything; takes a quarter of an hour, on an idle machine
    benchmarks/peers/compare.py --only report-torch        one row; --only report-torch:nchw one duel of it
    benchmarks/peers/compare.py --steps 2 --warmup 1       whether it works, not how fast
    benchmarks/peers/compare.py --table                    what has been measured so far with these sources

A duel is between us and one rival. Both make their warm-up steps, then take turns of a few steps, so that whatever
the machine does happens to both; the ratio is that of their median steps. A row is held against its best rival.
A rival of several seconds a step makes fewer of them, and the table says so. Rivals are installed under build/peers;
measurements are kept there until the sources change.
"""

import argparse
import datetime
import json
import sys
import tempfile
from pathlib import Path

from contest import BusyCore, ContestError, duel, median, run_alone, seconds_until
from rivals import DJL, DL4J, KERAS, OURS, TORCH, WORK, SetupError, machine
from table import table

MEASURED = WORK / "measured.json"


def ours(model, threads=2, batch=64, image="28x28x1"):
    return OURS.trainer(model, threads, batch, image), None


def torch(script, layout, *options, threads=2):
    """OpenMP's threads come from the script's `--threads`; a compiled network is marked by `--compile`."""
    return TORCH.script(script, "--serve", "--layout", layout, "--threads", threads, *options), None


class Duel:
    """Our training against one rival's."""

    def __init__(self, name, mine, rival, counts=True, busy=False, most_steps=None):
        self.name, self.mine, self.rival, self.counts, self.busy = name, mine, rival, counts, busy
        self.most_steps = most_steps

    def measure(self, settings):
        if self.most_steps:
            settings.warmup, settings.steps, settings.turn = 1, min(settings.steps, self.most_steps), 1
        commands = {"ours": self.mine(), "rival": self.rival()}
        if self.busy:
            with BusyCore():
                seconds = duel(commands, settings)
        else:
            seconds = duel(commands, settings)
        return {"unit": "s", "ours": median(seconds["ours"]), "rival": median(seconds["rival"]), "seconds": seconds}


class Row:
    """One line of the table. Larger is better, as `rival / ours` is, unless `at_most`."""

    def __init__(self, key, what, duels, target, at_most=False):
        self.key, self.what, self.duels, self.target, self.at_most = key, what, duels, target, at_most


def torch_duels(model, script, *options, image="28x28x1", busy=False, compiles=True):
    def entry(name, layout, *more, counts=True):
        mine = lambda: ours(model, image=image)  # noqa: E731
        return Duel(name, mine, lambda: torch(script, layout, *options, *more), counts, busy)

    duels = [entry("channels_last", "channels_last"), entry("nchw", "nchw")]
    return duels + ([entry("compiled", "channels_last", "--compile", counts=False)] if compiles and not busy else [])


def keras_duel(name, *options):
    return Duel(name, lambda: ours("report"), lambda: (KERAS.script("keras_report.py", "--serve", *options), None))


def java_duel(rival, most_steps=None):
    mine = lambda: ours("report")  # noqa: E731
    return Duel(rival.name, mine, lambda: rival.process(threads=2, batch=64), most_steps=most_steps)


class Memory:
    """Peak resident memory of the whole process: the command line against PyTorch's script, the same number of steps."""

    counts = True

    def __init__(self, name, layout):
        self.name, self.layout = name, layout

    def measure(self, settings):
        with tempfile.TemporaryDirectory() as folder:
            run = Path(folder) / "run"
            _, mine = run_alone(train_command(run, settings.warmup + settings.steps))
            seconds = step_seconds(run)[settings.warmup :]
        options = ("--layout", self.layout, "--warmup", settings.warmup, "--steps", settings.steps, "--threads", 2)
        _, rival = run_alone(TORCH.script("torch_report.py", *options))
        return {"unit": "MiB", "ours": mine, "rival": rival, "program_step_seconds": median(seconds)}


class Help:
    """Seconds until `cgan-cli --help` has ended; no rival."""

    name, counts = "help", True

    def measure(self, settings):
        command = OURS.program("--help")
        run_alone(command)
        return {"unit": "s", "ours": median([run_alone(command)[0] for _ in range(9)]), "rival": None}


class FirstStep:
    """Seconds from the launch to the end of the first step, of the built program and of PyTorch's script, in turns."""

    name, counts = "first step", True

    def measure(self, settings):
        mine, rival = [], []
        for _ in range(5):
            mine.append(self._ours())
            rival.append(self._torch())
        return {"unit": "s", "ours": median(mine), "rival": median(rival)}

    @staticmethod
    def _ours():
        with tempfile.TemporaryDirectory() as folder:
            run = Path(folder) / "run"
            log = run / "metrics.jsonl"
            return seconds_until(
                train_command(run, 1000), None, lambda _: log.exists() and b"\n" in log.read_bytes()
            )

    @staticmethod
    def _torch():
        asked = []

        def has_answered(process):
            if not asked:
                process.stdin.write(b"1\n")
                process.stdin.flush()
                asked.append(True)
            return any(b'"seconds"' in line for line in process.stdout)

        return seconds_until(torch("torch_report.py", "channels_last")[0], None, has_answered)


def train_command(run, steps):
    options = ["--steps", steps, "--batch", 64, "--device", "cpu", "--threads", 2, "--out", run]
    return OURS.program("train", "report", *map(str, options))


def step_seconds(run):
    return [json.loads(line)["seconds"] for line in (run / "metrics.jsonl").read_text().splitlines()]


ROWS = [
    Row("report-torch", "`report`: PyTorch eager", torch_duels("report", "torch_report.py"), 5.5),
    Row("report-keras", "`report`: Keras on TensorFlow", [keras_duel("graph"), keras_duel("xla", "--xla")], 7.5),
    Row("report-djl", "`report`: DJL (PyTorch engine)", [java_duel(DJL)], 5),
    Row("report-dl4j", "`report`: DL4J", [java_duel(DL4J, most_steps=4)], 5),
    Row("cgan-torch", "`cgan`: PyTorch eager", torch_duels("cgan", "torch_cgan.py"), 5),
    Row(
        "dcgan64-torch",
        "`dcgan` 64x64x3: PyTorch eager",
        torch_duels("dcgan", "torch_dcgan.py", "--image", "64x64x3", image="64x64x3"),
        2,
    ),
    Row(
        "dcgan28-torch",
        "`dcgan` 28x28x1: PyTorch eager",
        torch_duels("dcgan", "torch_dcgan.py", "--image", "28x28x1"),
        2,
    ),
    Row("wgan-torch", "`wgan-gp`: PyTorch eager", torch_duels("wgan-gp", "torch_wgan_gp.py", compiles=False), 2),
    Row(
        "threads",
        "`report`: 1 thread to 2 threads",
        [Duel("1 thread", lambda: ours("report", threads=2), lambda: ours("report", threads=1))],
        1.8,
    ),
    Row(
        "busy-torch",
        "`report`, one core kept busy: PyTorch eager",
        torch_duels("report", "torch_report.py", busy=True),
        4.5,
    ),
    Row(
        "memory",
        "`report`, peak resident memory: PyTorch eager",
        [Memory("channels_last", "channels_last"), Memory("nchw", "nchw")],
        0.6,
        at_most=True,
    ),
    Row("help", "`cgan-cli --help`", [Help()], 0.4, at_most=True),
    Row("first-step", "launch to first finished step: PyTorch's script", [FirstStep()], 2.5, at_most=True),
]


def selected(only):
    """Yields (row, duel) of the keys given, all if there are none."""
    wanted = [key.strip() for key in only.split(",")] if only else [row.key for row in ROWS]
    for key in wanted:
        row_key, _, duel_name = key.partition(":")
        row = next((row for row in ROWS if row.key == row_key), None)
        duels = [entry for entry in row.duels if duel_name in ("", entry.name)] if row else []
        if not duels:
            known = ", ".join(f"{row.key} ({', '.join(entry.name for entry in row.duels)})" for row in ROWS)
            raise SystemExit(f"--only {key}: there is no such row or duel; there are {known}")
        for entry in duels:
            yield row, entry


def recall(version):
    """Measurements of the same sources on the same machine."""
    if MEASURED.exists():
        kept = json.loads(MEASURED.read_text())
        if kept["version"] == version and kept["machine"] == machine():
            return kept
    return {"version": version, "machine": machine(), "results": {}}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="rows or duels, with commas between them")
    parser.add_argument("--steps", type=int, default=20, help="timed steps of each contestant")
    parser.add_argument("--warmup", type=int, default=5, help="steps before these")
    parser.add_argument("--turn", type=int, default=5, help="steps of one turn")
    parser.add_argument("--as-built", action="store_true", help="do not build, measure what was built last")
    parser.add_argument("--table", action="store_true", help="measure nothing, print what has been measured")
    parser.add_argument("--out", type=Path, help="also write the table to this file")
    settings = parser.parse_args()
    OURS.as_built = settings.as_built or settings.table
    try:
        OURS.set_up()
        kept = recall(OURS.version())
        if not settings.table:
            for row, entry in selected(settings.only):
                print(f"{row.key}:{entry.name} ...", file=sys.stderr, flush=True)
                used = argparse.Namespace(warmup=settings.warmup, steps=settings.steps, turn=settings.turn)
                result = entry.measure(used)
                result["settings"] = vars(used)
                result["when"] = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
                kept["results"][f"{row.key}:{entry.name}"] = result
                MEASURED.write_text(json.dumps(kept, indent=1))
    except (ContestError, SetupError) as e:
        raise SystemExit(f"compare.py: {e}") from None
    text = table(ROWS, kept, [TORCH, KERAS, DJL, DL4J])
    print(text)
    if settings.out:
        settings.out.parent.mkdir(parents=True, exist_ok=True)
        settings.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
