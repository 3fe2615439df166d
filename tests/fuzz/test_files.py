# SPDX-License-Identifier: GPL-3.0-or-later
"""Files with bytes changed at random, by a fixed seed: a command answers, or refuses the file by name;
it never dies by a signal or hangs. (HDF5's own decoding is not to be trusted: under a sanitizer its
faults end the process with the sanitizer's report, which is passed over where it lies in HDF5.)"""
import random
import subprocess

import product
from product import CLUSTERSCAN, SMALL, ProductCase

MUTATIONS = 70


class Mutated(ProductCase):
    def check_stage_logs(self):
        """What a sanitizer says of HDF5 is not ours."""

    def mutate(self, source, target, seed):
        rng = random.Random(seed)
        data = bytearray((self.folder / source).read_bytes())
        for _ in range(rng.choice((1, 2, 5, 30))):
            # Structures stand at the front and, in these files, behind the data.
            at = rng.choice((rng.randrange(min(len(data), 6000)), rng.randrange(len(data))))
            data[at] = rng.choice((0, 1, 255, data[at] ^ 1 << rng.randrange(8)))
        if rng.random() < 0.1:
            del data[rng.randrange(len(data)):]
        (self.folder / target).write_bytes(data)

    def expect_answer_or_refusal(self, name, *words):
        done = subprocess.run([CLUSTERSCAN, *words], cwd=self.folder, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, errors="replace", timeout=120)
        if "ERROR: AddressSanitizer" in done.stderr and "libhdf5" in done.stderr:
            return 0
        self.assertIn(done.returncode, (0, 1, 2), f"{words}\n{done.stderr[-2000:]}")
        if done.returncode == 2:
            self.assertIn(name, done.stderr)
        return done.returncode

    def test_an_event_file_is_read_or_refused(self):
        self.toy("toy.h5", 211)
        codes = []
        for seed in range(MUTATIONS):
            self.mutate("toy.h5", "bad.h5", seed)
            codes.append(self.expect_answer_or_refusal("bad.h5", "inspect", "bad.h5"))
        self.assertIn(2, codes)
        self.assertIn(0, codes)

    def test_a_result_is_told_or_refused(self):
        self.toy("events.h5", 900)
        (self.folder / "small.yaml").write_text(SMALL)
        self.command("run", "small.yaml", *product.settings(analysis__training__clusters=5,
                                                            analysis__training__ensemble=2))
        codes = []
        for seed in range(MUTATIONS):
            self.mutate("results.h5", "bad.h5", seed)
            codes.append(self.expect_answer_or_refusal("bad.h5", "report", "bad.h5"))
            self.expect_answer_or_refusal("bad.h5", "compare", "results.h5", "bad.h5")
        self.assertIn(2, codes)
        self.assertIn(0, codes)


if __name__ == "__main__":
    product.main()
