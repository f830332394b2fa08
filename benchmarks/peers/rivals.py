"""Who takes part: sets up each contestant once, under build/peers, and gives the command that runs it."""

import os
import platform
import shutil
import subprocess
import sys
import venv
from pathlib import Path

PEERS = Path(__file__).resolve().parent
ROOT = PEERS.parent.parent
WORK = ROOT / "build" / "peers"


class SetupError(Exception):
    """Something could not be installed or built; the text says what, and the remedy."""


def _run(command, what, environment=None):
    environment = {**os.environ, **(environment or {})}
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)
    if result.returncode != 0:
        tail = (result.stdout + result.stderr)[-3000:]
        raise SetupError(f"{what} failed: {' '.join(map(str, command))}\n{tail}")
    return result.stdout


class Ours:
    """The trainer of gan-core, and the command line."""

    def __init__(self):
        self.java = None
        self.as_built = False  # take what was built last, without looking for changes

    def set_up(self):
        if self.java is not None:
            return
        built_with = WORK / "java"
        if self.as_built and built_with.exists():
            self.java = built_with.read_text()
            return
        self.java = _run([ROOT / "benchmarks" / "build.sh"], "building the benchmarks").strip().splitlines()[-1]
        _run([ROOT / "cgan-cli", "--version"], "building the program")
        WORK.mkdir(parents=True, exist_ok=True)
        built_with.write_text(self.java)

    def trainer(self, model, threads, batch, image):
        """A process that trains `model`, with the JVM options of the launcher."""
        self.set_up()
        jars = ROOT / "benchmarks" / "target" / "app" / "*"
        options = ["-XX:+UseSerialGC", "-Xmn32m", "-XX:TieredStopAtLevel=1", "-XX:CompileThresholdScaling=0.05"]
        jvm = [self.java, "--enable-native-access=ALL-UNNAMED", *options, "-cp", jars]
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

    def __init__(self, name, packages):
        self.name = name
        self.packages = packages
        self.python = WORK / name / "bin" / "python"

    def set_up(self):
        done = WORK / self.name / "installed"
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

    def is_there(self):
        return (WORK / self.name / "installed").exists()

    def version(self):
        code = "import sys, importlib.metadata as m; print(', '.join(f'{p} {m.version(p)}' for p in sys.argv[1:]))"
        return _run([self.python, "-c", code, *self.packages], self.name).strip()


class JavaRival:
    """A Maven project in a folder of this one; its artifacts hold the native library."""

    def __init__(self, name, main, platform_name, flags, what):
        self.name, self.main, self.platform, self.flags, self.what = name, main, platform_name, flags, what
        self.folder = WORK / name

    def set_up(self):
        OURS.set_up()
        if (self.folder / "installed").exists():
            return
        if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
            raise SetupError(f"{self.name} is set up for Linux on x86-64 only")
        print(f"installing {self.name} into {self.folder}", file=sys.stderr)
        maven = shutil.which("mvn") or ROOT / "mvnw"
        goals = ["package", "org.apache.maven.plugins:maven-dependency-plugin:3.11.0:copy-dependencies"]
        settings = [f"-Dnative.platform={self.platform}", f"-Dpeer.build={self.folder}"]
        # JavaCPP's property leaves out the libraries of other platforms.
        settings += [f"-DoutputDirectory={self.folder / 'lib'}", "-DincludeScope=runtime", "-Djavacpp.platform=linux-x86_64"]
        home = str(Path(OURS.java).parent.parent)
        command = [maven, "-B", "-ntp", "-q", "-f", PEERS / self.name / "pom.xml", *goals, *settings]
        _run(command, f"building {self.name}", {"JAVA_HOME": home})
        (self.folder / "installed").touch()

    def process(self, threads, batch):
        self.set_up()
        flags = [flag.format(threads=threads) for flag in self.flags]
        path = f"{self.folder / 'lib' / '*'}:{self.folder / 'classes'}"
        command = [OURS.java, "--enable-native-access=ALL-UNNAMED", *flags, "-cp", path, self.main, str(batch)]
        return command, {"OMP_NUM_THREADS": str(threads)}

    def is_there(self):
        return (self.folder / "installed").exists()

    def version(self):
        return self.what


OURS = Ours()
TORCH = PythonRival("torch", ["torch"])
KERAS = PythonRival("keras", ["keras", "tensorflow-cpu"])
DJL_THREADS = ["-Dai.djl.pytorch.num_threads={threads}", "-Dai.djl.pytorch.num_interop_threads=1"]
DJL = JavaRival("djl", "peers.DjlReport", "linux-x86_64", DJL_THREADS, "DJL 0.36.0 with PyTorch 2.7.1")
DL4J = JavaRival("dl4j", "peers.Dl4jReport", "linux-x86_64-avx2", [], "DL4J 1.0.0-M2.1")


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
