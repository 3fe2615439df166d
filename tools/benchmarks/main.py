# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the benchmarks: ours and the peer's side in turn, on the same data, in one run.

Prints a table, or with --json one line per row. The ratio is how many times ours is better than the
peer's, and must be at least (>=) what is wanted; where the peer is our own work without what is
measured (pipeline, memory), it is how many times as much ours takes, and must be at most (<=) that.
docs/performance.md says what each benchmark measures and why its peer is a fair one."""
import argparse
import contextlib
import json
import platform
import signal
import subprocess
import sys
import tempfile

import h5py
import numpy as np
import scipy
import sklearn

from data import Data
from jets import jets
from kernels import cs_run, image_to_label, label_jets, label_jets_15, read, train
from latency import latency
from memory import memory
from pipeline import pipeline
from scans import composition, fit4
from wire import wire

# Each yields its rows (measure.py).
BENCHMARKS = {work.__name__: work for work in (
    label_jets, label_jets_15, image_to_label, train, cs_run, composition, fit4, jets, read,
    pipeline, wire, latency, memory)}


def answer_of(*command):
    """The first line a command prints, "" if there is no such command."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        return subprocess.run([*map(str, command)], capture_output=True, text=True,
                              check=True).stdout.partition("\n")[0]
    return ""


def machine(data):
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo")
                  if line.startswith("model name")), platform.machine())
    built = json.loads(answer_of(data.program("bench_pipeline"), "--about") or "{}")
    return {"cpu": model, "cores": data.cores, **built,
            "fastjet": answer_of("fastjet-config", "--version"),
            "zmq": answer_of("pkg-config", "--modversion", "libzmq"),
            "lz4": answer_of("pkg-config", "--modversion", "liblz4"),
            "hdf5": h5py.version.hdf5_version, "h5py": h5py.__version__,
            "python": platform.python_version(), "numpy": np.__version__,
            "scipy": scipy.__version__, "sklearn": sklearn.__version__, "sample": data.sample}


def cell(value):
    return "-" if value is None else f"{value:.4g}"


def print_head(about):
    print(", ".join(f"{key} {value}" for key, value in about.items()))
    print(f"{'name':27} {'ours':>8} {'peer':>8} {'unit':9} {'ratio':>7} {'wanted':>8}  "
          f"{'spread':14} note")


def print_row(one):
    if "skipped" in one:
        print(f"{one['name']:27} skipped: {one['skipped']}", flush=True)
        return
    ratio, wanted, spread = "-", "-", "-"
    if one["ratio"] is not None:
        ratio = f"{one['ratio']:.3g}" if one["ratio"] >= 10 else f"{one['ratio']:.2f}"
        wanted = f"{one['direction']} {one['must_reach']}"
        spread = " to ".join(f"{value:.3g}" for value in one["ratio_spread"])
    print(f"{one['name']:27} {cell(one['ours']):>8} {cell(one['peer']):>8} {one['unit']:9} "
          f"{ratio:>7} {wanted:>8}  {spread:14} {one['note']}", flush=True)


def measure(options, stack):
    work = stack.enter_context(tempfile.TemporaryDirectory(prefix="clusterscan-bench-"))
    data = Data(options.bin, work, stack, options.events)
    about = machine(data)
    if not options.json:
        print_head(about)
    for name in options.names or BENCHMARKS:
        for one in BENCHMARKS[name](data, options.repeats):
            if options.json:
                print(json.dumps({**one, "machine": about}), flush=True)
            else:
                print_row(one)


def positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is no number of at least 1")
    return number


def main():
    parser = argparse.ArgumentParser(prog="tools/bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME",
                        help=f"all of these if none is given: {', '.join(BENCHMARKS)}")
    parser.add_argument("--json", action="store_true", help="one line of JSON per row")
    parser.add_argument("--repeats", type=positive, default=7, metavar="N",
                        help="pairs of measurements (7; train at least 7, cs_run, pipeline "
                             "and memory at most 3, latency 1)")
    parser.add_argument("--events", type=positive, metavar="N",
                        help="only the first N events of each sample: to try the bench, not to "
                             "measure")
    parser.add_argument("--bin", required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    # Whatever ends us, children are stopped and the folder is removed.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        with contextlib.ExitStack() as stack:
            measure(options, stack)
    except KeyboardInterrupt:
        sys.exit(130)
    except RuntimeError as error: # a program of ours that did not do what it should
        sys.exit(f"tools/bench: {error}")


if __name__ == "__main__":
    main()
