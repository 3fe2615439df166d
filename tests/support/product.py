# SPDX-License-Identifier: GPL-3.0-or-later
"""product: what the tests in Python share: the built programs, toy samples, digests of results."""
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import h5py
import numpy as np

SOURCE = pathlib.Path(os.environ["SOURCE_FOLDER"])
BIN = pathlib.Path(os.environ["BIN_FOLDER"])
SHARED = SOURCE.parent / "shared"
CLUSTERSCAN = str(BIN / "clusterscan")


def needs_shared(path):
    """Skips a test where the sample is not there, saying so."""
    file = SHARED / path
    return unittest.skipUnless(file.exists(), f"the sample {path} is not on this machine")


class ProductCase(unittest.TestCase):
    """A test with a folder of its own, which is the working directory of what it starts."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="clusterscan-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.addCleanup(self.check_stage_logs)

    def check_stage_logs(self):
        """A stage that a sanitizer ended is restarted like any other: its report must not be lost."""
        for log in self.folder.glob("**/logs/*.log"):
            said = log.read_text(errors="replace")
            report = max(said.find("ERROR: "), said.find("runtime error: "))
            self.assertEqual(report, -1, f"{log.name}: {said[report:report + 3000]}")

    def command(self, *arguments, code=0, **options):
        """Runs clusterscan to its end and checks the exit code; returns what it printed."""
        done = subprocess.run([CLUSTERSCAN, *map(str, arguments)], cwd=self.folder,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=900, **options)
        self.assertEqual(done.returncode, code, f"{arguments}\n{done.stdout}\n{done.stderr}")
        return done

    def toy(self, name, events, signal=0, seed=1):
        self.command("generate", "--events", events, "--signal", signal, "--seed", seed, "--out",
                     name)
        return name


# A topology small enough to be run many times.
SMALL = """version: 1
name: small
analysis:
  stream:   {batch: 100, slice: 8}
  training: {window: [3000, 3300], clusters: 20, batch: 500, ensemble: 3, seed: 1}
  spectra:  {window: [3000, 4600], bins: 16}
stages:
  reader:  {run: event_reader, settings: {files: [events.h5]}}
  images:  {run: jet_image, from: reader}
  log:     {run: image_log, from: images, settings: {segment: 8, seal_after: 60}}
  trainer: {run: kmeans_trainer, from: log}
  spectra: {run: spectrum_accumulator, from: [log, trainer]}
  select:  {run: robust_selector, from: spectra}
  score:   {run: mls_scorer, from: [select, trainer], settings: {results: results.h5}}
"""


def settings(**changes):
    """--set arguments; double underscores stand for dots."""
    arguments = []
    for key, value in changes.items():
        arguments += ["--set", f"{key.replace('__', '.')}={value}"]
    return arguments


def _digest_attributes(to, node):
    for key in sorted(node.attrs):
        value = np.asarray(node.attrs[key])
        to.update(f"@{key} {value.dtype} {value.shape}".encode())
        to.update(str(value.tolist()).encode())


def digest(path):
    """Over every object's name, type, shape and bytes and every attribute of an HDF5 file."""
    to = hashlib.blake2b(digest_size=16)
    with h5py.File(path, "r") as file:
        names = []
        file.visit(names.append)
        _digest_attributes(to, file)
        for name in sorted(names):
            node = file[name]
            to.update(name.encode())
            if isinstance(node, h5py.Dataset):
                to.update(f"{node.dtype} {node.shape}".encode())
                to.update(np.ascontiguousarray(node[()]).tobytes())
            _digest_attributes(to, node)
    return to.hexdigest()


def same_in_h5diff(a, b):
    done = subprocess.run(["h5diff", str(a), str(b)], capture_output=True, text=True)
    return done.returncode == 0 and done.stdout == ""


def stage_processes(folder):
    """pid and setup of every stage process whose run has its state below folder."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            if b"--stage" not in words:
                continue
            setup = json.loads(pathlib.Path(words[words.index(b"--stage") + 1].decode())
                               .read_text())
            cwd = os.readlink(entry / "cwd")
        except (OSError, ValueError, IndexError):
            continue  # it ended while we looked
        if cwd == str(folder):
            found.append((int(entry.name), setup))
    return found


def open_files(pid):
    """What a process has open; empty if it has ended."""
    found = []
    try:
        for link in pathlib.Path(f"/proc/{pid}/fd").iterdir():
            try:
                found.append(os.readlink(link))
            except OSError:  # closed while we looked
                pass
    except OSError:
        pass
    return found


def wait_until(condition, seconds=120):
    """Polls an outside fact (processes, files) that sends no event; fails when it never comes."""
    poll_end = time.monotonic() + seconds
    while time.monotonic() < poll_end:
        value = condition()
        if value:
            return value
        os.sched_yield()
    raise AssertionError("what was waited for did not come")


def main():
    """Like unittest.main, but ends with 77 (skipped, for CTest) when any test was skipped and none
    failed: a machine that lacks something never looks like one where everything passed."""
    result = unittest.main(module="__main__", exit=False, verbosity=2).result
    for test, because in result.skipped:
        print(f"skipped: {test.id()}: {because}")
    if not result.wasSuccessful():
        sys.exit(1)
    sys.exit(77 if result.skipped else 0)
