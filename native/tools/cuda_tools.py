#!/usr/bin/env python3
"""Finds cuobjdump and nvdisasm, which read the machine code in a CUDA library.

    cuda_tools.py [--fetch]        prints the folder that holds both, or one line that says why there is none (exit code 1)

Looked into, in this order: $CGAN_CUDA_TOOLS, the PATH, the CUDA toolkit ($CUDA_PATH, $CUDA_HOME, beside nvcc,
/usr/local/cuda), and the package triton of this Python. With --fetch, pip then downloads NVIDIA's packages of them or
triton's, and what is needed of it stays in the user's cache folder.
"""
import importlib.util
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

NAMES = ("cuobjdump", "nvdisasm")
PACKAGES = (("nvidia-cuda-cuobjdump", "nvidia-cuda-nvdisasm"), ("triton",))


def holds_both(folder):
    return all(os.access(folder / name, os.X_OK) for name in NAMES)


def candidates():
    for variable, below in (("CGAN_CUDA_TOOLS", "."), ("CUDA_PATH", "bin"), ("CUDA_HOME", "bin")):
        if os.environ.get(variable):
            yield pathlib.Path(os.environ[variable], below)
    for name in ("cuobjdump", "nvcc"):
        if found := shutil.which(name):
            yield pathlib.Path(found).parent
            yield pathlib.Path(found).resolve().parent
    yield pathlib.Path("/usr/local/cuda/bin")
    if spec := importlib.util.find_spec("triton"):
        yield pathlib.Path(spec.submodule_search_locations[0], "backends/nvidia/bin")
    yield cache()


def cache():
    home = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(home, "cgan", "cuda-tools")


def find():
    """The folder with both programs, or None."""
    return next((folder for folder in candidates() if holds_both(folder)), None)


def fetch():
    """Downloads the programs to the cache folder; returns None, or why that failed."""
    reason = ""
    for packages in PACKAGES:
        with tempfile.TemporaryDirectory() as wheels:
            done = subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", wheels, *packages],
                                  capture_output=True, text=True, errors="replace")
            if done.returncode != 0:
                reason = (done.stderr.strip().splitlines() or ["pip failed"])[-1]
                continue
            for wheel in pathlib.Path(wheels).iterdir():
                unpack(wheel)
        if holds_both(cache()):
            return None
        reason = f"no {' and '.join(NAMES)} in {' and '.join(packages)}"
    return reason


def unpack(wheel):
    cache().mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            name = pathlib.PurePosixPath(entry.filename).name
            if name in NAMES and not entry.is_dir():
                new = cache() / (name + ".new")
                new.write_bytes(archive.read(entry))
                new.chmod(0o755)
                new.replace(cache() / name)


def main():
    folder, reason = find(), None
    if folder is None and "--fetch" in sys.argv[1:]:
        reason = fetch()
        folder = find()
    if folder is None:
        sys.exit("no cuobjdump and nvdisasm: not on PATH, in the CUDA toolkit or in Python's triton"
                 + (f"; pip: {reason}" if reason else ""))
    print(folder)


if __name__ == "__main__":
    main()
