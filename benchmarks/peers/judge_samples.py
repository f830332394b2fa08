"""Judges generated digits: are they the requested ones, and do they differ among themselves?

    python digits.py --data DIR --out classifier.pt
    cgan-cli sample RUN --labels all --count 5000 --raw samples.safetensors
    python judge_samples.py samples.safetensors --data DIR --classifier classifier.pt

The file holds `images` float32 [n, 28, 28, 1] in [-1, 1] and `labels` int64 [n]. For each class two figures: the share
of images that the classifier reads as the requested digit, and the mean L2 distance between all pairs of the class's
images divided by the same figure of the real test digits. `--check` exits 1 unless the mean share is at least 0.95,
the mean ratio at least 0.8 and every class's ratio at least 0.65.
"""

import argparse
import json

import torch
from digits import load_classifier, load_mnist, load_tensors, predict


def pair_distance(images):
    """Mean L2 distance between all pairs of different images."""
    flat = images.flatten(1)
    n = len(flat)
    if n < 2:
        raise SystemExit(f"a class has {n} image(s); at least 2 are needed to measure how they differ")
    return (torch.cdist(flat, flat, compute_mode="donot_use_mm_for_euclid_dist").sum() / (n * (n - 1))).item()


def judge(images, labels, classifier, real_images, real_labels):
    """Returns the figures of `images` float [n, 1, 28, 28]: per class and their means over classes."""
    read = predict(classifier, images)
    share, ratio = [], []
    for digit in range(10):
        mine = labels == digit
        real = pair_distance(real_images[real_labels == digit])
        ratio.append(pair_distance(images[mine]) / real)
        share.append((read[mine] == digit).float().mean().item())
    return {
        "images": len(images),
        "read_as_requested": sum(share) / 10,
        "read_as_requested_by_class": share,
        "distance_ratio": sum(ratio) / 10,
        "distance_ratio_by_class": ratio,
        "distance_ratio_lowest": min(ratio),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("samples")
    parser.add_argument("--data", required=True, help="folder with the four MNIST IDX files, plain or gzipped")
    parser.add_argument("--classifier", required=True, help="file that digits.py wrote")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--brief", action="store_true", help="print one line instead of the figures")
    args = parser.parse_args()
    stored = load_tensors(args.samples)
    images = stored["images"].permute(0, 3, 1, 2).contiguous()
    figures = judge(images, stored["labels"], load_classifier(args.classifier), *load_mnist(args.data, "t10k"))
    if args.brief:
        print(
            f"{figures['images']} digits: {figures['read_as_requested']:.1%} read as requested; their distances are"
            f" {figures['distance_ratio']:.3f} of real ones', {figures['distance_ratio_lowest']:.3f} for the lowest digit"
        )
    else:
        print(json.dumps(figures, indent=2))
    good = (
        figures["read_as_requested"] >= 0.95
        and figures["distance_ratio"] >= 0.8
        and figures["distance_ratio_lowest"] >= 0.65
    )
    if args.check and not good:
        raise SystemExit("the samples miss the target: 0.95 read as requested, ratio 0.8, no class under 0.65")


if __name__ == "__main__":
    main()
