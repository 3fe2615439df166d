# SPDX-License-Identifier: GPL-3.0-or-later
"""The form of the house: what a machine can see of the rules in CONTRIBUTING.md."""
import os
import pathlib
import re
import shutil
import subprocess
import unittest

SOURCE = pathlib.Path(os.environ["SOURCE_FOLDER"])
# Lowest first; a room includes only what stands below it (wire, store and topology are side by side).
ROOMS = {"status": set(), "log": {"status"}, "kernels": {"status"}}
for room in ("wire", "store", "topology"):
    ROOMS[room] = {"status", "log", "kernels"}
ROOMS["flow"] = ROOMS["wire"] | {"wire", "store", "topology"}
ROOMS["stage"] = ROOMS["flow"] | {"flow"}


def tracked(*patterns):
    listed = subprocess.run(["git", "-C", str(SOURCE), "ls-files", "-co", "--exclude-standard", "-z",
                             *patterns], capture_output=True, text=True, check=True).stdout
    return [SOURCE / name for name in listed.split("\0") if name and (SOURCE / name).exists()]


@unittest.skipUnless((SOURCE / ".git").exists(), "no git checkout")
class Form(unittest.TestCase):
    def test_every_c_file_is_formatted(self):
        program = shutil.which("clang-format-14") or shutil.which("clang-format")
        done = subprocess.run([program, "--dry-run", "--Werror",
                               *tracked("*.c", "*.h", "*.cc")], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr[:4000])

    def test_every_source_file_names_its_licence_on_top(self):
        for file in tracked("*.c", "*.h", "*.cc", "*.py", "CMakeLists.txt", "tools/*", ".ci/run"):
            with self.subTest(str(file.relative_to(SOURCE))):
                head = file.read_text().splitlines()[:2]
                self.assertTrue(any("SPDX-License-Identifier: GPL-3.0-or-later" in line
                                    for line in head), head)

    def test_rooms_include_only_what_stands_below_them(self):
        for file in tracked("common/*.c", "common/*.h", "common/*.cc"):
            room = file.relative_to(SOURCE / "common").parts[0]
            for included in re.findall(r'#include "([^"]+)"', file.read_text()):
                with self.subTest(f"{file.relative_to(SOURCE)}: {included}"):
                    parts = included.split("/")
                    self.assertEqual(parts[0], "common")
                    self.assertTrue(parts[1] == room or parts[1] in ROOMS[room])

    def test_only_common_flow_and_the_watcher_of_runs_touch_sockets(self):
        allowed = re.compile(r"common/flow/|common/stage/(stage|runtime)|tools/clusterscan/supervise"
                             r"|tools/benchmarks/wire|tests/")
        for file in tracked("*.c", "*.h"):
            name = str(file.relative_to(SOURCE))
            if not allowed.match(name):
                self.assertFalse("zmq_" in file.read_text(), name)


if __name__ == "__main__":
    unittest.main(verbosity=2)
