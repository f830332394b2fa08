"""Contestants that take turns: processes that make steps when they are asked to, and stand still when they are not."""

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time


class ContestError(Exception):
    """A contestant failed; the text says which, and how to see why."""


class Contestant:
    """A process that answers each line of its input, a number of steps, with a line of JSON: their seconds.

    Between its turns it is stopped, so that no thread of it that spins or tidies up disturbs a rival.
    """

    def __init__(self, name, command, environment=None):
        self.name = name
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            env={**os.environ, **(environment or {})},
        )
        self.introduction = self._read()
        self._stop()

    def steps(self, count):
        """Returns the seconds of each of `count` steps."""
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.write(f"{count}\n".encode())
        self.process.stdin.flush()
        seconds = self._read()["seconds"]
        self._stop()
        return seconds

    def close(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.log.close()

    def _stop(self):
        self.process.send_signal(signal.SIGSTOP)

    def _read(self):
        """The next line of JSON; other lines, which some frameworks print, are passed over."""
        for line in self.process.stdout:
            if line.startswith(b"{"):
                return json.loads(line)
        self.log.seek(0)
        text = self.log.read().decode(errors="replace")[-3000:]
        raise ContestError(f"{self.name} ended with code {self.process.wait()}:\n{text}")


class BusyCore:
    """A process that computes without end, pinned nowhere, while the context is open."""

    def __enter__(self):
        self.process = subprocess.Popen([sys.executable, "-c", "while True: pass"])

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def take_turns(contestants, warmup, steps, turn):
    """Returns {name: seconds of each timed step}: all warm up, then each makes `turn` steps in turn until it has `steps`."""
    seconds = {contestant.name: [] for contestant in contestants}
    for contestant in contestants:
        if warmup > 0:
            contestant.steps(warmup)
    while any(len(all_steps) < steps for all_steps in seconds.values()):
        for contestant in contestants:
            seconds[contestant.name] += contestant.steps(min(turn, steps - len(seconds[contestant.name])))
    return seconds


def duel(commands, settings):
    """Returns {name: seconds} of rivals given as {name: (command, environment)}, as `settings` ask for."""
    contestants = []
    try:
        for name, (command, environment) in commands.items():
            contestants.append(Contestant(name, command, environment))
        return take_turns(contestants, settings.warmup, settings.steps, settings.turn)
    finally:
        for contestant in contestants:
            contestant.close()


def run_alone(command, environment=None):
    """Runs a command to its end; returns (wall seconds, peak resident MiB of the process)."""
    with tempfile.TemporaryFile() as log:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, **(environment or {})}
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            log.seek(0)
            text = log.read().decode(errors="replace")[-3000:]
            raise ContestError(f"{' '.join(map(str, command))} ended with code {process.returncode}:\n{text}")
        return wall, usage.ru_maxrss / 1024


def seconds_until(command, environment, has_happened, limit=120):
    """Starts a command; returns the seconds until `has_happened(process)`, and ends it."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **(environment or {})},
    )
    try:
        while not has_happened(process):
            if time.perf_counter() - start > limit or process.poll() not in (None, 0):
                raise ContestError(f"{' '.join(map(str, command))}: no first step")
            time.sleep(0.002)
        return time.perf_counter() - start
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def median(values):
    return statistics.median(values)
