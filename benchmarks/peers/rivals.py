"""Who takes part: sets up each contestant once, under build/peers, and gives the command that runs it."""

import os
import platform
import subprocess
import sys
import venv
from pathlib import Path

PEERS = Path(__file__).resolve().parent
ROOT = PEERS.parent.parent
WORK = ROOT / "build" / "peers"


class SetupError(Exception):
    """Something could not be installed or built; the text says what, and the remedy."""


def _run(command, what):
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if result.returncode != 0:
        tail = (result.stdout + result.stderr)[-3000:]
        raise SetupError(f"{what} failed: {' '.join(map(str, command))}\n{tail}")
    return result.stdout


class Ours:
    """The trainer of gan-core, and the command line."""

    def __init__(self):
        self.java = None

    def set_up(self):
        if self.java is None:
            self.java = _run([ROOT / "benchmarks" / "build.sh"], "building the benchmarks").strip().splitlines()[-1]
            _run([ROOT / "cgan-cli", "--version"], "building the program")

    def trainer(self, model, threads, batch, image):
        """A process that trains `model`, with the JVM options of the launcher."""
        self.set_up()
        jars = ROOT / "benchmarks" / "target" / "app" / "*"
        jvm = [self.java, "--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC", "-cp", jars]
        settings = ["device=cpu", f"threads={threads}", f"batch={batch}", f"image={image}"]
        return [*jvm, "dev.cgan.benchmarks.TrainingPeer", model, *settings]

    def program(self, *arguments):
        self.set_up()
        return [ROOT / "cgan-cli", *arguments]

    def version(self):
        commit = _run(["git", "describe", "--always", "--dirty"], "git").strip()
        return f"cgan {commit}, Java {_run([self.java, '--version'], 'java').split()[1]}"


class PythonRival:
    """Scripts of this folder in a virtual environment of their own."""

    def __init__(self, name, package):
        self.name = name
        self.package = package
        self.python = WORK / name / "bin" / "python"

    def set_up(self):
        done = WORK / name_of_stamp(self.name)
        requirements = PEERS / f"requirements-{self.name}.txt"
        if done.exists() and done.read_text() == requirements.read_text():
            return
        print(f"installing {self.name} into {WORK / self.name}", file=sys.stderr)
        WORK.mkdir(parents=True, exist_ok=True)
        venv.create(WORK / self.name, clear=True, with_pip=True)
        _run([self.python, "-m", "pip", "install", "-q", "-r", requirements], f"installing {self.name}")
        done.write_text(requirements.read_text())

    def script(self, name, *options):
        self.set_up()
        return [self.python, PEERS / name, *map(str, options)]

    def version(self):
        code = f"import importlib.metadata as m; print(m.version('{self.package}'))"
        python = platform.python_version()
        return f"{self.name} {_run([self.python, '-c', code], self.name).strip()}, Python {python}"


def name_of_stamp(name):
    return f"{name}.installed"


OURS = Ours()
TORCH = PythonRival("torch", "torch")
KERAS = PythonRival("keras", "tensorflow-cpu")


def machine():
    """The processor, its cores and the memory, as the kernel tells them."""
    model = next(
        (line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor(),
    )
    flags = next((line for line in open("/proc/cpuinfo") if line.startswith("flags")), "").split()
    family = {key: value for key, value in _identity()}
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    vectors = "AVX-512" if "avx512f" in flags else "AVX2" if "avx2" in flags else "no AVX2"
    return (
        f"{model} (family {family.get('cpu family', '?')}, model {family.get('model', '?')}), "
        f"{os.cpu_count()} cores, {vectors}, {memory:.0f} GiB"
    )


def _identity():
    for line in open("/proc/cpuinfo"):
        if ":" in line:
            key, value = line.split(":", 1)
            yield key.strip(), value.strip()
