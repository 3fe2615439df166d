# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run shows while it is at work: on a terminal, elsewhere, and to `clusterscan status`."""
import fcntl
import json
import os
import pty
import re
import shutil
import struct
import subprocess
import termios

from product import CLUSTERSCAN, SMALL, ProductCase, main, settings, wait_until

ESCAPE = re.compile(r"\x1b\[([0-9;]*)([A-Za-z])")


class Screen:
    """As much of a terminal as the live block needs: what stands on it after all that was sent."""

    def __init__(self):
        self.lines = [""]
        self.row = 0
        self.column = 0

    def feed(self, text):
        at = 0
        while at < len(text):
            escape = ESCAPE.match(text, at)
            if escape:
                self.control(escape[1], escape[2])
                at = escape.end()
                continue
            self.put(text[at])
            at += 1

    def control(self, number, letter):
        if letter == "A":
            self.row -= int(number)
            assert self.row >= 0
        elif letter == "B":
            self.row += 1
            assert self.row < len(self.lines)
        elif letter == "K":
            self.lines[self.row] = self.lines[self.row][:self.column]
        elif letter == "J":
            self.lines[self.row] = self.lines[self.row][:self.column]
            del self.lines[self.row + 1:]
        else:
            assert letter == "m", letter

    def put(self, character):
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self.row += 1
            if self.row == len(self.lines):
                self.lines.append("")
        else:
            line = self.lines[self.row]
            self.lines[self.row] = line[:self.column] + character + line[self.column + 1:]
            self.column += 1


class Progress(ProductCase):
    def setUp(self):
        super().setUp()
        (self.folder / "small.yaml").write_text(SMALL)
        self.toy("events.h5", 3000, 333)

    def on_terminal(self, *options, width=100, seen=lambda said: None, **environment):
        """Runs on a terminal of that width; returns all that came to it. Calls seen with what has
        come so far, again and again."""
        pid, ours = pty.fork()
        if pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
            os.chdir(self.folder)
            environment = {"TERM": "xterm", **environment}
            os.execve(CLUSTERSCAN, ["clusterscan", "run", "small.yaml", *options],
                      {key: value for key, value in {**os.environ, **environment}.items()
                       if value is not None})
        said = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the other end has been closed
                break
            if not part:
                break
            said += part
            seen(said)
        os.close(ours)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0, said)
        return said.decode()

    def score_lines(self, text):
        return [int(number) for number in re.findall(r"^(?:[a-z]+ \([a-z_, ]+\): )?slice (\d+),", text, re.MULTILINE)]

    def test_the_block_is_redrawn_in_place_and_gone_at_the_end(self):
        said = self.on_terminal(NO_COLOR=None)
        for stage in ("reader", "images", "log", "trainer", "spectra", "select", "score"):
            self.assertRegex(said, rf"\n  {stage} +")
        self.assertIn("\x1b[7A", said)  # eight lines, redrawn
        self.assertIn("\x1b[32mrunning\x1b[0m", said)
        screen = Screen()
        screen.feed(said)
        left = "\n".join(screen.lines)
        self.assertNotIn("busy", left)
        self.assertIn("3,333 of 3,333 events read (100 %)", left)
        # 34 places in slices of 8
        self.assertEqual(self.score_lines(left), [1, 2, 3, 4, 5])

    def test_no_line_is_wider_than_the_terminal(self):
        incoming = self.folder / "incoming"
        incoming.mkdir()
        (self.folder / "small.yaml").write_text(
            SMALL.replace("files: [events.h5]", "files: [incoming], follow: true"))

        def blocks(said):  # drawn anew in place
            return [part.removesuffix("\x1b[J") for part in said.split("\r\x1b[7A")
                    if part.endswith("\x1b[J")]

        def end_input(said):
            if len(blocks(said.decode(errors="replace"))) >= 3 and not (incoming / "a.h5").exists():
                shutil.copy(self.folder / "events.h5", incoming / "a.h5")
                (incoming / "end-of-run").touch()

        said = self.on_terminal(width=40, NO_COLOR=None, seen=end_input)
        for block in blocks(said):
            for line in block.split("\n")[-8:]:
                self.assertLess(len(ESCAPE.sub("", line).rstrip("\r")), 40, line)

    def test_no_color_is_respected(self):
        said = self.on_terminal(NO_COLOR="1")
        self.assertIn("\x1b[7A", said)
        self.assertNotRegex(said, r"\x1b\[[0-9;]*m")

    def test_a_dumb_terminal_gets_plain_lines(self):
        self.assertNotIn("\x1b", self.on_terminal(TERM="dumb", NO_COLOR=None))

    def tmux(self, *arguments):
        done = subprocess.run(["tmux", "-f", "/dev/null", "-S", self.folder / "tmux", *arguments],
                              capture_output=True, text=True, cwd=self.folder)
        self.assertEqual(done.returncode, 0, (arguments, done.stderr))
        return done.stdout

    def test_a_terminal_made_narrower_is_left_clean(self):
        (self.folder / "incoming").mkdir()
        (self.folder / "small.yaml").write_text(
            SMALL.replace("files: [events.h5]", "files: [incoming], follow: true"))
        self.tmux("new-session", "-d", "-x", "120", "-y", "40",
                  f"exec '{CLUSTERSCAN}' run small.yaml")
        self.addCleanup(subprocess.run, ["tmux", "-S", self.folder / "tmux", "kill-server"])
        screen = lambda: self.tmux("capture-pane", "-p")
        wait_until(lambda: re.search(r"score +running", screen()))
        for width in ("75", "50"):
            self.tmux("resize-window", "-x", width)
            # The block is drawn anew and stands there once. (tmux takes lines that it has broken
            # out of reach, into its history.)
            wait_until(lambda: max(map(len, screen().splitlines())) == int(width) - 1)
            for _ in range(2):
                before = screen()
                wait_until(lambda: screen() != before)
            told = screen()
            for stage in ("reader", "images", "log", "trainer", "spectra", "select", "score"):
                self.assertEqual(len(re.findall(rf"^  {stage} ", told, re.MULTILINE)), 1, told)
            self.assertEqual(len(re.findall("events read", told)), 1, told)

    def test_elsewhere_lines_are_plain_and_every_slice_has_one(self):
        said = self.command("run", "small.yaml").stderr
        self.assertNotIn("\x1b", said)
        self.assertEqual(self.score_lines(said), [1, 2, 3, 4, 5])
        self.assertRegex(said, r"(?m)^\d+:\d\d  3,333 of 3,333 events read \(100 %\), [\d,]+ counted")

    def test_quiet_says_nothing_and_verbose_what_the_stages_say(self):
        self.assertEqual(self.command("run", "small.yaml", "--quiet").stderr, "")
        said = self.command("run", "small.yaml", "-v", "--state", "other").stderr
        self.assertIn("[trainer.0]", said)


class Status(ProductCase):
    def setUp(self):
        super().setUp()
        self.folder = self.folder.resolve()
        (self.folder / "follow.yaml").write_text(
            SMALL.replace("files: [events.h5]", "files: [incoming], follow: true"))
        (self.folder / "incoming").mkdir()

    def status(self):
        done = subprocess.run([CLUSTERSCAN, "status", "--json"], cwd=self.folder,
                              capture_output=True, text=True)
        if done.returncode == 2:
            return None
        told = json.loads(done.stdout)
        self.assertEqual(told["state"], "state")
        at_work = [run for run in told["runs"] if run["at_work"]]
        self.assertEqual(done.returncode, 0 if at_work else 1)
        return told["runs"]

    def stages(self):
        runs = self.status()
        return {stage["stage"]: stage for stage in runs[0]["stages"]} if runs else {}

    def test_a_followed_run_is_told_from_its_start_to_its_end(self):
        self.toy("events.h5", 1700)
        self.command("status", code=2)
        run = subprocess.Popen([CLUSTERSCAN, "run", "follow.yaml", "--quiet"], cwd=self.folder,
                               stdout=subprocess.DEVNULL)
        self.addCleanup(run.kill)
        wait_until(lambda: run.poll() is not None or
                   [stage["state"] for stage in self.stages().values()] == 7 * ["running"])
        # Nothing is there: everybody waits for somebody, in the end for files.
        wait_until(lambda: run.poll() is not None or
                   {name: stage["waits_for"] for name, stage in self.stages().items()} == {
                       "reader": "more files", "images": "reader", "log": "images",
                       "trainer": "log", "spectra": "trainer", "select": "spectra",
                       "score": "trainer"})
        self.assertIn("waits for", self.command("status").stdout)
        self.command("feed", "events.h5", "incoming", "--rate", 1000000, "--batch", 850, "--no-end")
        # 9 batches in each of two files; segments of 8 are sealed: 9 + 7 batches are on disk.
        # Reader and log tell of it each in their own time.
        told = wait_until(lambda: run.poll() is not None or next(
            (told for told in self.status()
             if (told["events_known"], told["events_read"]) == (1700, 1550)
             and told["stages"][0]["lag"] == 2), None))
        self.assertTrue(told["more_to_come"])
        self.assertEqual(told["pid"], run.pid)
        (self.folder / "incoming/end-of-run").touch()
        self.assertEqual(run.wait(timeout=120), 0)
        told = self.status()[0]
        self.assertEqual((told["at_work"], told["exit_code"]), (False, 0))
        self.assertEqual((told["events_read"], told["more_to_come"]), (1700, False))
        self.assertIn("ended with exit code 0", self.command("status", code=1).stdout)

    def test_a_killed_run_is_not_taken_for_one_at_work(self):
        run = subprocess.Popen([CLUSTERSCAN, "run", "follow.yaml", "--quiet"], cwd=self.folder,
                               stdout=subprocess.DEVNULL)
        self.addCleanup(run.kill)
        wait_until(lambda: run.poll() is not None or self.stages())
        run.kill()
        run.wait()
        self.assertEqual([told["at_work"] for told in self.status()], [False])
        self.assertIn("was killed", self.command("status", code=1).stdout)


if __name__ == "__main__":
    main()
