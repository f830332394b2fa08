#!/bin/sh
# Brings NVIDIA's headers of cuDNN and cuBLAS into a folder, out of their Python packages (about 1 GB to download, of
# which 3 MB are kept). For the build: cmake -DCGAN_NVIDIA_HEADERS=FOLDER.
set -eu

if [ $# -ne 1 ]; then
    echo "usage: $0 FOLDER" >&2
    exit 2
fi
mkdir -p "$1"
download=$(mktemp -d)
trap 'rm -rf "$download"' EXIT
python3 -m pip download --quiet --no-deps --dest "$download" nvidia-cudnn-cu13 nvidia-cublas
for wheel in "$download"/*.whl; do
    unzip -q -o -j "$wheel" 'nvidia/*/include/*.h' -d "$1"
done
test -f "$1/cudnn.h" && test -f "$1/cublas_v2.h"
echo "cuDNN and cuBLAS are declared in $1"
