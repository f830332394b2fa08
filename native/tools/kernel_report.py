#!/usr/bin/env python3
"""What the compiler made of each kernel: registers, memory, and the instructions that matter.

    kernel_report.py LIBRARY [--check] [--csv FILE] [--tools FOLDER]

LIBRARY holds GPU code (libcgan_cuda.so, a cubin). Needs c++filt, and cuobjdump and nvdisasm from FOLDER or wherever
cuda_tools.py finds them. --check exits with 1 if a kernel spills registers or uses local memory, or if a tile of a
product lost its 16-byte copies, its 16-byte loads from shared memory, or its tensor-core instructions.

Columns: threads of a block (the kernel's launch bound); registers of a thread; bytes of shared memory, stack and local
memory; occupancy (warps that fit a multiprocessor, as a share of its limit); then counts of instructions: all, FFMA,
HMMA, loads of 16 bytes from shared and global memory, asynchronous copies of 16 bytes, accesses to local memory.
"""
import argparse
import collections
import csv
import os
import pathlib
import re
import subprocess
import sys

import cuda_tools

LIMITS = {  # multiprocessor: registers, shared bytes, threads, blocks (CUDA C++ Programming Guide, table of capabilities)
    75: (65536, 64 * 1024, 1024, 16),
    80: (65536, 164 * 1024, 2048, 32),
    86: (65536, 100 * 1024, 1536, 16),
    89: (65536, 100 * 1024, 1536, 24),
    90: (65536, 228 * 1024, 2048, 32),
    100: (65536, 228 * 1024, 2048, 32),
    120: (65536, 100 * 1024, 1536, 24),
}
RESERVED = 1024  # bytes of shared memory that the system takes for each block
COUNTED = {
    "ffma": re.compile(r"\bFFMA\b"),
    "hmma": re.compile(r"\bHMMA\b"),
    "lds128": re.compile(r"\bLDS(\.\w+)*\.128\b"),
    "ldg128": re.compile(r"\bLDG(\.\w+)*\.128\b"),
    "ldgsts128": re.compile(r"\bLDGSTS(\.\w+)*\.128\b"),
    "local": re.compile(r"\b(LDL|STL)\b"),
}
COLUMNS = ["arch", "threads", "registers", "shared", "stack", "local_bytes", "occupancy", "size", *COUNTED, "kernel"]


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed: {done.stderr.strip() or done.returncode}")
    return done.stdout


def demangle(names):
    text = subprocess.run(["c++filt"], input="\n".join(names), capture_output=True, text=True, check=True).stdout
    short = (re.sub(r"cgan::cuda::|\(anonymous namespace\)::|^void ", "", line) for line in text.splitlines())
    return dict(zip(names, (re.sub(r"\([^()]*\)$", "", line) for line in short)))


def read_resources(library):
    """{(arch, kernel): row} from the resource usage that the assembler noted."""
    rows, arch, name = {}, 0, None
    for line in run("cuobjdump", "--dump-resource-usage", library).splitlines():
        if match := re.search(r"arch = sm_(\d+)", line):
            arch = int(match[1])
        elif match := re.search(r"Function ([^ :]+):", line):
            name = match[1]
        elif name and "REG:" in line:
            value = {key: int(number) for key, number in re.findall(r"(\w+):(\d+)", line)}
            own = RESERVED if arch >= 90 and value["SHARED"] else 0  # the assembler counts it from sm_90 on
            rows[arch, name] = {"arch": arch, "threads": 0, "registers": value["REG"], "shared": value["SHARED"] - own,
                                "stack": value["STACK"], "local_bytes": value["LOCAL"],
                                **dict.fromkeys(["size", *COUNTED], 0)}
            name = None
    return rows


def read_block_sizes(library, rows):
    """From the launch bounds, which are what each kernel here is launched with; a kernel without one runs one thread."""
    arch, name, waits = 0, None, False
    for line in run("cuobjdump", "--dump-elf", library).splitlines():
        if match := re.search(r"arch = sm_(\d+)", line):
            arch = int(match[1])
        elif match := re.match(r"\.nv\.info\.(\S+)", line):
            name = match[1]
        elif "EIATTR_MAX_THREADS" in line:
            waits = True
        elif waits and (match := re.search(r"Value:\s+0x(\w+) 0x(\w+) 0x(\w+)", line)):
            x, y, z = (int(number, 16) for number in match.groups())
            rows[arch, name]["threads"] = x * y * z
            waits = False
    for row in rows.values():
        row["threads"] = row["threads"] or 1


def count_instructions(library, rows):
    arch, row = 0, None
    for line in run("cuobjdump", "--dump-sass", library).splitlines():
        if match := re.search(r"arch = sm_(\d+)", line):
            arch = int(match[1])
        elif match := re.search(r"Function : (\S+)", line):
            row = rows.get((arch, match[1]))
        elif row is not None and re.search(r"/\*[0-9a-f]{4,}\*/\s", line):
            row["size"] += 1
            for key, pattern in COUNTED.items():
                row[key] += bool(pattern.search(line))


def occupancy(row):
    """Warps that fit a multiprocessor, as a share of its limit."""
    registers, shared, threads, blocks = LIMITS.get(row["arch"], LIMITS[80])
    warps = -(-row["threads"] // 32)
    per_warp = -(-row["registers"] * 32 // 256) * 256  # given out in units of 256
    fit = min(registers // (per_warp * warps), shared // (row["shared"] + RESERVED), threads // 32 // warps, blocks)
    return f"{fit * warps / (threads // 32):.0%}"


def find_faults(row):
    kernel = row["kernel"]
    if row["stack"] or row["local_bytes"] or row["local"]:
        yield f"{row['stack']} bytes of stack, {row['local']} accesses to local memory"
    tile = re.match(r"product_kernel<\(Math\)(\d), \d+, \d+, (\d)", kernel)
    if not tile or tile[2] != "4":
        return
    ampere = row["arch"] >= 80  # the first with asynchronous copies and TF32
    if ampere and row["ldgsts128"] == 0:
        yield "no 16-byte asynchronous copies"
    if tile[1] == "0" and row["lds128"] == 0:
        yield "no 16-byte loads from shared memory"
    if ampere and tile[1] == "1" and row["hmma"] == 0:
        yield "no tensor-core instructions"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library")
    parser.add_argument("--check", action="store_true", help="fail on spills and lost instructions")
    parser.add_argument("--csv", metavar="FILE", help="write the table to FILE as well")
    parser.add_argument("--tools", metavar="FOLDER", help="where cuobjdump and nvdisasm are")
    options = parser.parse_args()
    tools = pathlib.Path(options.tools) if options.tools else cuda_tools.find()
    if tools is None or not cuda_tools.holds_both(tools):
        sys.exit("kernel_report: no cuobjdump and nvdisasm" + (f" in {tools}" if tools else "")
                 + "; install the CUDA toolkit's, or fetch them with cuda_tools.py --fetch, or name their folder with --tools")
    os.environ["PATH"] = f"{tools}{os.pathsep}{os.environ['PATH']}"
    resources = read_resources(options.library)
    if not resources:
        sys.exit(f"kernel_report: {options.library} holds no GPU machine code")
    read_block_sizes(options.library, resources)
    count_instructions(options.library, resources)
    names = demangle(sorted({name for _, name in resources}))
    for (_, name), row in resources.items():
        row.update(kernel=names[name], occupancy=occupancy(row))
    rows = sorted(resources.values(), key=lambda row: (row["arch"], row["kernel"]))

    print("  ".join(f"{column:>9}" for column in COLUMNS[:-1]), " kernel")
    for row in rows:
        print("  ".join(f"{row[column]:>9}" for column in COLUMNS[:-1]), "", row["kernel"])
    if options.csv:
        with open(options.csv, "w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    faults = [(row, fault) for row in rows for fault in find_faults(row)]
    kinds = collections.Counter(row["arch"] for row in rows)
    print(", ".join(f"{count} kernels for sm_{arch}" for arch, count in kinds.items()), f"- {len(faults)} faults")
    for row, fault in faults:
        print(f"sm_{row['arch']} {row['kernel']}: {fault}")
    return 1 if options.check and faults else 0


if __name__ == "__main__":
    sys.exit(main())
