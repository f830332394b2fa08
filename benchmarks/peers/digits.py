"""What the scripts of this folder share: reading IDX files and the independent digit classifier.

The classifier is a small convolutional network that has nothing to do with the GAN: it is trained on the real training
digits alone and judges generated ones. `python digits.py --data DIR --out classifier.pt` trains it and prints its
accuracy on the test set; it refuses to save a classifier below 99 %.
"""

import argparse
import gzip
import json
import struct
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


def read_idx(path):
    """Returns the array of an IDX file of unsigned bytes, plain or gzipped, in its declared shape."""
    path = Path(path)
    if not path.exists() and Path(f"{path}.gz").exists():
        path = Path(f"{path}.gz")
    raw = gzip.open(path).read() if path.suffix == ".gz" else path.read_bytes()
    zero, kind, rank = struct.unpack(">HBB", raw[:4])
    if zero != 0 or kind != 8:
        raise ValueError(f"{path}: not an IDX file of unsigned bytes (magic {raw[:4].hex()})")
    shape = struct.unpack(f">{rank}I", raw[4 : 4 + 4 * rank])
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * rank).reshape(shape)


def load_mnist(folder, split):
    """Returns (images float32 [n, 1, 28, 28] in [-1, 1], labels int64 [n]) of `split`, `train` or `t10k`."""
    folder = Path(folder)
    images = read_idx(folder / f"{split}-images-idx3-ubyte")
    labels = read_idx(folder / f"{split}-labels-idx1-ubyte")
    x = (torch.tensor(images, dtype=torch.float32) - 127.5) / 127.5
    return x[:, None], torch.tensor(labels, dtype=torch.int64)


def load_tensors(path):
    """Returns the tensors of a safetensors file by name; float32 and int64 are known."""
    raw = Path(path).read_bytes()
    (size,) = struct.unpack("<Q", raw[:8])
    kinds = {"F32": np.dtype("<f4"), "I64": np.dtype("<i8")}
    tensors = {}
    for name, entry in json.loads(raw[8 : 8 + size]).items():
        if name != "__metadata__":
            begin, end = (8 + size + offset for offset in entry["data_offsets"])
            values = np.frombuffer(raw[begin:end], kinds[entry["dtype"]])
            tensors[name] = torch.tensor(values).reshape(entry["shape"])
    return tensors


class Classifier(nn.Module):
    """Reads 28x28 images in [-1, 1] as digits; returns logits [n, 10]."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(1, 32, 3), nn.BatchNorm2d(32), nn.ReLU(),
            nn.Conv2d(32, 32, 3, stride=2), nn.BatchNorm2d(32), nn.ReLU(),
            nn.Conv2d(32, 64, 3), nn.BatchNorm2d(64), nn.ReLU(),
            nn.Conv2d(64, 64, 3, stride=2), nn.BatchNorm2d(64), nn.ReLU(), nn.Flatten(),
            nn.Dropout(0.3), nn.Linear(64 * 4 * 4, 128), nn.ReLU(), nn.Dropout(0.3), nn.Linear(128, 10),
        )  # fmt: skip

    def forward(self, x):
        return self.net(x)


def load_classifier(path):
    """Returns the classifier stored in `path`, in inference mode."""
    model = Classifier()
    model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return model.eval()


@torch.no_grad()
def predict(model, images, batch=500):
    """Returns the digits int64 [n] that `model` reads in `images` float [n, 1, 28, 28]."""
    return torch.cat([model(images[i : i + batch]).argmax(1) for i in range(0, len(images), batch)])


def train(folder, epochs, seed):
    """Returns (classifier, test accuracy) after `epochs` passes over the training set, shifted by up to 2 pixels."""
    torch.manual_seed(seed)
    x, y = load_mnist(folder, "train")
    model = Classifier()
    steps = epochs * (len(x) // 128)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=steps)
    for _ in range(epochs):
        for rows in torch.randperm(len(x))[: len(x) // 128 * 128].view(-1, 128):
            dy, dx = torch.randint(0, 5, (2,)).tolist()
            images = F.pad(x[rows], (2, 2, 2, 2), value=-1.0)[:, :, dy : dy + 28, dx : dx + 28]
            loss = F.cross_entropy(model(images), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    test_x, test_y = load_mnist(folder, "t10k")
    model.eval()
    return model, (predict(model, test_x) == test_y).float().mean().item()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder with the four MNIST IDX files, plain or gzipped")
    parser.add_argument("--out", required=True, help="file for the trained classifier")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    model, accuracy = train(args.data, args.epochs, args.seed)
    print(f"test accuracy {accuracy:.4f}")
    if not accuracy >= 0.99:
        raise SystemExit(f"the classifier reads {accuracy:.2%} of the test digits, 99 % are needed; raise --epochs")
    torch.save(model.state_dict(), args.out)


if __name__ == "__main__":
    main()
