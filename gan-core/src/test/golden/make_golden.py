"""Makes the golden files of gan-core's tests: `python make_golden.py [FILE ...]`, into ../resources/golden.

Needs PyTorch and NumPy. Everything is float64; every input is a float32 number, so that a float32 run starts from the
same values. The same PyTorch version gives the same bytes.

operators        single operators with gradients, and optimisers; names, roles and layouts in operators.py
report-grad      `report` at reduced width: losses and gradients of the first step (those of G against the updated D)
report-10        `report`: 10 steps
cgan-10          `cgan`: 10 steps
wgan-gp-10       `wgan-gp`: 10 steps of 5 critic updates and 1 generator update

Training files hold `init.PARAMETER`, `final.PARAMETER` (names and layouts in networks.py; buffers included),
`step01.INPUT` ... (`real` uint8 NHWC, to be scaled to (x - 127.5) / 127.5; noise; labels), `grad.PARAMETER` where asked
for, and as JSON in the metadata: `losses`, a list with one object a step, and `settings`, sizes and the `margin`, the
smallest distance of any pre-activation from an arg-max tie or a rectifier's kink in the whole run. The networks and the
steps are described at the top of report.py, cgan.py and wgan_gp.py.
"""

import sys
from pathlib import Path

import cgan
import operators
import report
import tensorfile
import torch
import wgan_gp

FOLDER = Path(__file__).resolve().parent.parent / "resources" / "golden"


def best_margin(run, seeds):
    """Returns (tensors, metadata) of the seed whose run stays farthest from every tie and kink."""
    margin, seed = max((run(seed)[0], seed) for seed in range(seeds))
    _, tensors, metadata = run(seed)
    metadata["settings"] |= {"seed": seed, "margin": margin}
    return tensors, metadata


def report_gradients():
    size = {"height": 12, "width": 16, "channels": 1, "c1": 8, "c2": 16, "hidden": 32, "z": 10}
    return best_margin(lambda seed: report.run(seed, size, batch=4, steps=1, gradients=True), 40)


def report_trajectory():
    size = {"height": 8, "width": 12, "channels": 1, "c1": 4, "c2": 8, "hidden": 16, "z": 10}
    return best_margin(lambda seed: report.run(seed, size, batch=4, steps=10), 100)


def cgan_trajectory():
    size = {"height": 8, "width": 12, "channels": 1, "c1": 4, "c2": 8, "hidden": 16, "z": 10}
    return best_margin(lambda seed: cgan.run(seed, size, batch=4, steps=10), 100)


def wgan_gp_trajectory():
    size = {"height": 8, "width": 12, "channels": 1, "dim": 4, "z": 8}
    return best_margin(lambda seed: wgan_gp.run(seed, size, batch=4, steps=10), 100)


FILES = {
    "operators": operators.build,
    "report-grad": report_gradients,
    "report-10": report_trajectory,
    "cgan-10": cgan_trajectory,
    "wgan-gp-10": wgan_gp_trajectory,
}


def main():
    torch.set_num_threads(1)
    chosen = sys.argv[1:] or list(FILES)
    unknown = sorted(set(chosen) - set(FILES))
    if unknown:
        raise SystemExit(f"unknown file {unknown[0]}; there are: {', '.join(FILES)}")
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in chosen:
        tensors, metadata = FILES[name]()
        path = FOLDER / f"{name}.safetensors"
        tensorfile.write(path, tensors, metadata)
        print(f"{path.name}: {len(tensors)} tensors, {path.stat().st_size} bytes", metadata.get("settings", ""))


if __name__ == "__main__":
    main()
