# SPDX-License-Identifier: GPL-3.0-or-later
"""refusals: what the tests of refusals share: made event files, and what a refusal must leave."""
import os
import pathlib
import re

import h5py
import numpy as np

import product

WIDTH = 2100
# Two back-to-back jets of two particles each; m_jj is about 3.1 TeV.
DIJET = [(1600, 0.1, 0.0), (1500, -0.1, 3.1), (20, 0.2, 0.1), (30, -0.2, 3.0)]


def write_columns(path, events, label=None, **replaced):
    """A `columns` file of events, each a list of (pt, eta, phi); `replaced` are whole datasets."""
    flat = np.array([p for event in events for p in event], dtype="f4").reshape(-1, 3)
    columns = {"offset": np.cumsum([0] + [len(event) for event in events]).astype("u8"),
               "pt": flat[:, 0].copy(), "eta": flat[:, 1].copy(), "phi": flat[:, 2].copy()}
    if label is not None:
        columns["label"] = np.asarray(label, dtype=getattr(label, "dtype", "i1"))
    columns.update(replaced)
    with h5py.File(path, "w") as file:
        for name, values in columns.items():
            if values is not None:
                file["events/" + name] = values


def write_table(path, values, **options):
    with h5py.File(path, "w") as file:
        file.create_dataset("df/block0_values", data=values, **options)


def table(rows, label=0):
    """Rows of one dijet each, as a table with a label."""
    values = np.zeros((rows, WIDTH + 1))
    values[:, :3 * len(DIJET)] = np.ravel(DIJET)
    values[:, WIDTH] = label
    return values


def processes_of(folder):
    """Processes that work in `folder` or name it on their command line."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            place = os.readlink(entry / "cwd")
        except OSError:
            continue
        if place == str(folder) or str(folder) in line:
            found.append(line)
    return found


class RefusalCase(product.ProductCase):
    """Knows what a refusal is: exit code, exact message, nothing half-written, no process left."""

    def setUp(self):
        super().setUp()
        (self.folder / "t.yaml").write_text(product.SMALL)

    def refused(self, *arguments, says, code=2, **options):
        """`says`: all of standard error, the folder replaced by FOLDER; a tuple: parts of it."""
        done = self.command(*arguments, code=code, **options)
        told = done.stderr.replace(str(self.folder) + "/", "").replace(str(self.folder), "FOLDER")
        if isinstance(says, str):
            self.assertEqual(told, says if says.endswith("\n") else says + "\n")
        else:
            for part in says:
                self.assertIn(part, told)
        self.assertEqual(done.stdout, "")
        self.nothing_left()
        return told

    def nothing_left(self):
        self.assertEqual([str(path) for path in self.folder.rglob("*")
                          if path.name in ("results.h5",) or path.name.endswith(".tmp")], [])
        self.assertEqual(processes_of(self.folder), [])

    def ran(self, *arguments, **options):
        """A run that ends well; its warnings, and its report."""
        done = self.command("run", "t.yaml", *arguments, **options)
        self.assertEqual(processes_of(self.folder), [])
        return re.findall(r"^warning: .*$", done.stderr, re.M), done.stdout


def other_user():
    """Options of subprocess for a user who is not root, as root may read and write anything."""
    return {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
