# SPDX-License-Identifier: GPL-3.0-or-later
"""wire: an intake edge and a feed between two processes against bare ZeroMQ with the same frames."""
import json
import subprocess

from data import process
from measure import row

# Batches of 512 events, about 1 MB each as events and a quarter of it as images.
BATCHES = {"intake": 800, "feed": 3200}


def measure(data, edge, transport, file, repeats):
    with process(data.program("bench_wire"), edge, transport, BATCHES[edge], repeats, file,
                 cwd=data.work, stdout=subprocess.PIPE, text=True) as child:
        answer = child.stdout.read()
        if child.wait() != 0:
            raise RuntimeError(f"bench_wire {edge} {transport} ended with {child.returncode}")
    told = json.loads(answer)
    return row(f"wire:{edge}-{transport}", "ms/GB", told["ours"], told["peer"],
               "bare ZeroMQ, PUSH to PULL, the same frames", at_least=0.7,
               scale=1e12 / told["bytes"],
               note=f"{told['bytes'] / sorted(told['ours'])[repeats // 2] / 1e9:.2f} GB/s against "
                    f"{told['bytes'] / sorted(told['peer'])[repeats // 2] / 1e9:.2f}")


def wire(data, repeats):
    for transport in ("ipc", "tcp"):
        yield measure(data, "intake", transport, data.table, repeats)
        yield measure(data, "feed", transport, data.images.folder / "segment-000000.h5", repeats)
