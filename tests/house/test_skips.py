# SPDX-License-Identifier: GPL-3.0-or-later
"""A test in Python that is skipped is counted as skipped, not as passed."""
import os
import subprocess
import sys
import unittest

from product import SOURCE, main

INNER = """
import unittest, product
class Inner(unittest.TestCase):
    def test_passes(self):
        pass
    {skip}
    def test_other(self):
        {body}
product.main()
"""


class Skips(unittest.TestCase):
    def inner(self, skip="", body="pass"):
        return subprocess.run([sys.executable, "-B", "-c", INNER.format(skip=skip, body=body)],
                              env=os.environ, capture_output=True, text=True, check=False)

    def test_one_skip_among_passes_makes_the_program_a_skip_and_names_the_test(self):
        done = self.inner(skip="@unittest.skip('no unicorn')")
        self.assertEqual(done.returncode, 77, done.stderr)
        self.assertIn("skipped: __main__.Inner.test_other: no unicorn\n", done.stdout)

    def test_without_a_skip_the_program_passes(self):
        self.assertEqual(self.inner().returncode, 0)

    def test_a_failure_is_not_hidden_by_a_skip(self):
        done = self.inner(skip="@unittest.skip('no unicorn')")
        self.assertEqual(done.returncode, 77)
        done = self.inner(body="self.assertEqual(1, 2)")
        self.assertEqual(done.returncode, 1)

    def test_no_check_program_prints_a_skip_by_itself(self):
        for file in sorted((SOURCE / "tests").rglob("test_*.c")):
            if file.name in ("test_check_main.c", "test_validate.c"):
                continue
            self.assertNotIn('"skipped:', file.read_text(), file)


if __name__ == "__main__":
    main()
