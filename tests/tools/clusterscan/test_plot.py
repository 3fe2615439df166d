# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of clusterscan plot: the files are whole pictures, and the numbers behind them are what
numpy and scipy make of the result file and the image log."""
import os
import pathlib
import re
import shutil
import struct
import subprocess
import tempfile

import h5py
import numpy as np
from scipy import ndimage, stats

import product
from product import CLUSTERSCAN, SMALL

SIZES_CM = {"summary": (17.8, 22.0),
            "figure-1": (8.6, 3.4), "figure-1-clusters": (17.8, 1.1 + 1.62 * 2),
            "figure-2": (8.6, 6.9), "figure-3": (8.6, 6.9), "figure-4": (8.6, 8.0),
            "figure-6": (8.6, 6.6), "figure-8": (17.8, 9.0), "figure-9": (8.6, 7.2),
            "figure-members": (8.6, 6.9), "figure-history": (8.6, 6.0), "figure-mass": (8.6, 6.6)}
OF_IMAGES = {"figure-1", "figure-6", "figure-mass"}


class Plot(product.ProductCase):
    @classmethod
    def setUpClass(cls):
        """One small run serves all tests, which only read it."""
        cls.run_folder = pathlib.Path(tempfile.mkdtemp(prefix="clusterscan-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.run_folder, ignore_errors=True)
        (cls.run_folder / "small.yaml").write_text(SMALL)
        for arguments in (["generate", "--events", "6000", "--signal", "333", "--seed", "1",
                           "--out", "events.h5"],
                          ["run", "small.yaml", "--quiet", "--state", "state"]):
            subprocess.run([CLUSTERSCAN, *arguments], cwd=cls.run_folder, check=True,
                           capture_output=True)
        cls.results = cls.run_folder / "results.h5"
        cls.state = cls.run_folder / "state"
        with h5py.File(cls.results) as file:
            mls = file["score/mls"][:]
            cls.largest = int(np.argmax(mls))
            cls.median = int(np.argsort(mls, kind="stable")[(len(mls) - 1) // 2])
            cls.log_id = file.attrs["log_id"]

        cls.plotted = subprocess.run(
            [CLUSTERSCAN, "plot", "results.h5", "--data", "numbers"], cwd=cls.run_folder,
            check=True, capture_output=True, text=True)

    def plot(self, *arguments, results=None, state=None, **options):
        return self.command("plot", results or self.results, "--state", state or self.state,
                            *arguments, **options)

    def drawn(self, folder="figures"):
        return sorted(path.name for path in (self.folder / folder).iterdir())

    def table(self, name, folder=None):
        return np.loadtxt((folder or self.run_folder) / "numbers" / f"{name}.txt")

    def member(self, member=None):
        member = self.median if member is None else member
        with h5py.File(self.results) as file:
            return {name: file[name][member] for name in (
                "spectra/counts", "selection/z", "selection/label", "selection/rich",
                "selection/depleted", "selection/background", "codebook/centres")}

    def jets(self):
        """Lit pixels, their s, label, and mass rank of every jet in the spectrum, from the log."""
        for path in sorted((self.state / self.log_id).glob("segment-*.h5")):
            with h5py.File(path) as file:
                inside = (file["m_jj"][:] >= 3000) & (file["m_jj"][:] < 4600)
                offset, pixel, value = file["offset"][:], file["pixel"][:], file["intensity"][:]
                mass, label = file["jet/mass"][:].reshape(-1, 2), file["label"][:]
            for event in np.flatnonzero(inside):
                for j in range(2):
                    lit = slice(offset[2 * event + j], offset[2 * event + j + 1])
                    root = np.sqrt(value[lit].astype(float))
                    heavier = (j == 1) == (mass[event, 1] > mass[event, 0])
                    yield pixel[lit], root / root.sum(), label[event], heavier

    def test_every_figure_is_a_whole_pdf_and_a_png_of_its_size(self):
        said = self.plotted.stdout
        self.assertEqual(self.plotted.stderr, "")
        self.assertEqual(self.drawn(self.run_folder / "figures"), sorted(
            f"{name}.{suffix}" for name in SIZES_CM for suffix in ("pdf", "png")))
        for name, size in SIZES_CM.items():
            self.assertIn(f"figures/{name}.pdf", said)
            png = (self.run_folder / "figures" / f"{name}.png").read_bytes()
            self.assertEqual(png[:8], b"\x89PNG\r\n\x1a\n")
            self.assertIn(b"IEND", png[-12:])
            self.assertEqual(struct.unpack(">II", png[16:24]),
                             tuple(round(side / 2.54 * 300) for side in size))
            pdf = (self.run_folder / "figures" / f"{name}.pdf").read_bytes()
            self.assertEqual(pdf[:5], b"%PDF-")
            self.assertEqual(pdf.rstrip()[-5:], b"%%EOF")
            box = [float(x) for x in re.search(rb"MediaBox \[ ?([^\]]+)\]", pdf)[1].split()]
            for found, side in zip(box[2:], size):
                self.assertAlmostEqual(found, side / 2.54 * 72, delta=1)  # whole points

    def test_normalised_and_standardised_spectra_are_those_of_the_result(self):
        data = self.member()
        counts = data["spectra/counts"].astype(float)
        share = counts / counts.sum(axis=1, keepdims=True)
        edges = np.linspace(3000, 4600, 17)
        for name, value in (("figure-2", share), ("figure-3", data["selection/z"])):
            table = self.table(name)
            np.testing.assert_array_equal(table[:, 0], edges[:-1])
            np.testing.assert_array_equal(table[:, 1], edges[1:])
            np.testing.assert_array_equal(table[:, 2:2 + len(value)], value.T)
        # A cluster of median size that has the shares of all.
        np.testing.assert_allclose(self.table("figure-2")[:, -2:].T, [
            counts.sum(axis=0) / counts.sum(),
            np.sqrt(counts.sum(axis=0) / counts.sum() / np.median(counts.sum(axis=1)))], rtol=1e-12)

    def test_rich_and_depleted_are_compared_as_the_score_does(self):
        table, data = self.table("figure-4"), self.member()
        rich, background = data["selection/rich"], data["selection/background"]
        np.testing.assert_array_equal(table[:, 2], rich)
        np.testing.assert_array_equal(table[:, 3], data["selection/depleted"])
        np.testing.assert_array_equal(table[:, 4], background)
        np.testing.assert_array_equal(table[:, 5], np.sqrt(background))
        z = np.where(rich > background, stats.norm.isf(stats.poisson.sf(rich, background)),
                     stats.norm.ppf(stats.poisson.cdf(rich, background)))
        # scipy's tails are good to about 1e-9 of a sigma here.
        np.testing.assert_allclose(table[:, 6], z, atol=1e-7)
        with h5py.File(self.results) as file:
            self.assertEqual(table[:, 6].max(), file["score/mls"][self.median])

        np.testing.assert_array_equal(table[:, 7], np.sqrt(rich))

    def test_a_bin_without_background_has_the_significance_of_its_jets(self):
        shutil.copy(self.results, self.folder / "lonely.h5")
        with h5py.File(self.folder / "lonely.h5", "a") as file:
            file["selection/depleted"][:, 13] = 0
            file["selection/background"][:, 13] = 0
            rich = file["selection/rich"][self.median].astype(float)
            depleted = file["selection/depleted"][self.median].astype(float)
        self.plot("--data", "numbers", results="lonely.h5")
        a = rich.sum() / depleted.sum()
        self.assertGreater(rich[13], 0)
        z = stats.norm.isf((a / (1 + a)) ** rich[13])
        self.assertAlmostEqual(self.table("figure-4", self.folder)[13, 6], max(z, 0), places=8)

    def test_the_member_shown_is_the_median_one_or_the_one_asked_for(self):
        for arguments, member in (([], self.median), (["--member", "median"], self.median),
                                  (["--member", "largest"], self.largest), (["--member", 0], 0)):
            self.plot("--data", "numbers", *arguments)
            np.testing.assert_array_equal(self.table("figure-4", self.folder)[:, 2],
                                          self.member(member)["selection/rich"])

    def test_the_answer_is_drawn_member_by_member_and_slice_by_slice(self):
        members, history = self.table("figure-members"), self.table("figure-history")
        with h5py.File(self.results) as file:
            np.testing.assert_array_equal(members[:, 0], [0, 1, 2])
            np.testing.assert_array_equal(members[:, 1], file["score/mls"])
            np.testing.assert_array_equal(members[:, 2], 3000 + 100 * file["score/bin"][:])
            np.testing.assert_array_equal(members[:, 3], 3100 + 100 * file["score/bin"][:])
            np.testing.assert_array_equal(members[:, 4], file["selection/label"][:].sum(axis=1))
            np.testing.assert_array_equal(history[:, 0], file["history/events"])
            np.testing.assert_array_equal(history[:, 1], file["history/mls_mean"])

    def test_the_masses_of_all_events_are_counted(self):
        masses, labels = [], []
        for path in sorted((self.state / self.log_id).glob("segment-*.h5")):
            with h5py.File(path) as file:
                masses.append(file["m_jj"][:].astype(float))
                labels.append(file["label"][:])
        masses, labels = np.concatenate(masses), np.concatenate(labels)
        table = self.table("figure-mass")
        edges = np.append(table[:, 0], table[-1, 1])
        self.assertIn(3000, edges)
        for column, label in ((2, 0), (3, 1)):
            np.testing.assert_array_equal(table[:, column],
                                          np.histogram(masses[labels == label], edges)[0])
        self.assertEqual(table[:, 2:].sum(), len(masses))

    def test_the_page_has_the_numbers_of_its_panels(self):
        page = (self.run_folder / "numbers/summary.txt").read_text()
        for name in ("figure-4", "figure-3", "figure-members", "figure-history", "figure-2",
                     "figure-mass"):
            self.assertIn((self.run_folder / f"numbers/{name}.txt").read_text(), page)

    def tell_verdict(self, file, state, text):
        """Makes the first verdict of a file say this, as a file of somebody else might."""
        for name, first in (("state", state), ("text", text)):
            values = [value.decode() for value in file[f"verdict/{name}"][:]]
            del file[f"verdict/{name}"]
            values[0] = first
            file[f"verdict/{name}"] = np.array([value.encode() for value in values], dtype="S500")

    def scripts(self, results):
        """What gnuplot is given."""
        fake = self.folder / "bin" / "gnuplot"
        fake.parent.mkdir()
        fake.write_text(f'#!/bin/sh\ncat "$2" > {self.folder}/script\nexit 1\n')
        fake.chmod(0o755)
        self.plot(results=results, code=1,
                  env=os.environ | {"PATH": f"{fake.parent}:{os.environ['PATH']}"})
        return (self.folder / "script").read_text()

    def test_the_worst_verdict_and_what_is_not_final_stand_at_the_foot_of_every_figure(self):
        shutil.copy(self.results, self.folder / "bad.h5")
        with h5py.File(self.folder / "bad.h5", "a") as file:
            self.tell_verdict(file, "bad", "it's not to be believed_ {at all}")
            file.attrs["final"] = np.uint64(0)
        script = self.scripts("bad.h5")
        drawn = 2 * len(SIZES_CM)
        self.assertEqual(script.count("'bad: it’s not to be believed\\_ \\{at all\\}' at screen 0.99"),
                         drawn)
        self.assertEqual(script.count("set label 97 'not final'"), drawn)

    def test_nothing_in_a_result_becomes_a_command_of_gnuplot(self):
        """Words that would leave their quotes, run a program, or change the font."""
        trap = self.folder / "trap"
        for hostile in (f"x'; system('touch {trap}'); print '", f"`touch {trap}`",
                        "@HOME {/Symbol a}_b^c~d&e \\", f"\n!touch {trap}\nsystem 'touch {trap}'\n",
                        "\x1b[2J\u202eäß", "'" * 77, "END_OF_DATA\nexit\n"):
            shutil.copy(self.results, self.folder / "hostile.h5")
            with h5py.File(self.folder / "hostile.h5", "a") as file:
                file.attrs["version"] = hostile
                file.attrs["analysis"] = file.attrs["analysis"] + "# " + "\n# ".join(
                    hostile.splitlines())
                self.tell_verdict(file, "bad", hostile)
            done = subprocess.run([CLUSTERSCAN, "plot", "hostile.h5", "--state", self.state],
                                  cwd=self.folder, capture_output=True, text=True)
            self.assertIn(done.returncode, (0, 2), done.stderr)  # drawn, or refused
            self.assertFalse(trap.exists(), hostile)
            self.assertNotIn("\x1b", done.stdout + done.stderr)

    def test_scratch_files_lie_in_tmpdir_and_nothing_of_them_stays(self):
        scratch = self.folder / "scratch"
        scratch.mkdir()
        self.plot(env=os.environ | {"TMPDIR": str(scratch)})
        self.assertEqual(list(scratch.iterdir()), [])
        shutil.rmtree(self.folder / "figures")
        done = self.plot(code=1, env=os.environ | {"TMPDIR": str(self.folder / "absent")})
        self.assertIn(f"temporary file cannot be made in {self.folder}/absent", done.stderr)

    def test_one_gnuplot_draws_all(self):
        count = self.folder / "count"
        fake = self.folder / "bin" / "gnuplot"
        fake.parent.mkdir()
        fake.write_text(f'#!/bin/sh\necho >> {count}\nexec {shutil.which("gnuplot")} "$@"\n')
        fake.chmod(0o755)
        self.plot(env=os.environ | {"PATH": f"{fake.parent}:{os.environ['PATH']}"})
        self.assertEqual(len(count.read_text()), 1)

    def test_deviations_have_their_plain_and_robust_bands(self):
        counts = self.member()["spectra/counts"].astype(float)
        total = counts.sum(axis=0) / counts.sum()
        d = counts / counts.sum(axis=1, keepdims=True) - total
        far = abs(d - np.median(d, axis=0))
        kept = np.where(far <= np.quantile(far, 0.8, axis=0), d, np.nan)
        table = self.table("figure-9")
        # Sums in another order than numpy's pairwise one.
        close = dict(rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(table[:, 2], total, **close)
        np.testing.assert_allclose(table[:, 3], d.mean(axis=0), **close)
        np.testing.assert_allclose(table[:, 4], d.std(axis=0), **close)
        np.testing.assert_allclose(table[:, 5], np.nanmean(kept, axis=0), **close)
        np.testing.assert_allclose(table[:, 6], 1.5114699778679388 * np.nanstd(kept, axis=0),
                                   **close)
        np.testing.assert_allclose(table[:, 7:], d.T, **close)

    def test_z_is_counted_per_bin_and_in_sum(self):
        table, z = self.table("figure-8"), self.member()["selection/z"]
        edges = np.arange(-5, 8.5, 0.5)
        np.testing.assert_array_equal(table[:, 0], edges[:-1])
        # numpy closes the last box, and what lies beyond belongs to the outermost.
        inside = np.clip(z, -5, 8)
        for b in range(16):
            np.testing.assert_array_equal(table[:, 3 + b], np.histogram(inside[:, b], edges)[0])
        np.testing.assert_array_equal(table[:, 2], np.histogram(inside, edges)[0])

    def test_images_are_averaged_and_their_pixels_counted(self):
        sums, jets, lit = np.zeros((3, 1600)), np.zeros(3, int), np.zeros((2, 1601), int)
        for pixel, value, label, heavier in self.jets():
            kind = 0 if label == 0 else 2 if heavier else 1
            sums[kind][pixel] += value
            jets[kind] += 1
            lit[int(label)][len(pixel)] += 1
        self.assertGreater(jets.min(), 100)
        averages = self.table("figure-1")[:, 2].reshape(3, 1600)
        for kind in range(3):
            dense = ndimage.gaussian_filter((sums[kind] / jets[kind]).reshape(40, 40), 1)
            # float32 intensities below, doubles above.
            np.testing.assert_allclose(averages[kind], dense.ravel(), rtol=1e-5, atol=1e-10)
        pixels = self.table("figure-6").astype(int)
        np.testing.assert_array_equal(pixels[:, 1], lit[0][:len(pixels)])
        np.testing.assert_array_equal(pixels[:, 2], lit[1][:len(pixels)])
        self.assertEqual(lit[:, len(pixels):].sum(), 0)

    def test_cluster_images_are_the_smeared_centres(self):
        self.plot("--data", "numbers", "--member", 1)
        table = self.table("figure-1-clusters", self.folder)
        centres = self.member(1)["codebook/centres"].astype(float)
        for cluster, image in enumerate(table[:, 2].reshape(-1, 40, 40)):
            dense = ndimage.gaussian_filter(centres[cluster].reshape(40, 40), 1)
            np.testing.assert_allclose(image, dense, rtol=1e-10, atol=1e-15)
        # The first axis of the image is phi, the second eta: pixel = 40 x phi index + eta index.
        np.testing.assert_allclose(table[:2, :2], [[-0.78, -0.78], [-0.78, -0.74]])

    def test_without_the_images_the_rest_is_drawn_and_the_message_says_so(self):
        said = self.plot(state="elsewhere").stderr
        for name in OF_IMAGES:
            self.assertRegex(said, rf"{name} \(.*\) is not drawn: .*elsewhere/{self.log_id}.*"
                                   r"--state")
        self.assertEqual(self.drawn(), sorted(
            f"{name}.{suffix}" for name in set(SIZES_CM) - OF_IMAGES for suffix in ("pdf", "png")))

    def test_the_state_folder_may_come_from_the_environment(self):
        self.command("plot", self.results, env=os.environ | {"CLUSTERSCAN_STATE": str(self.state)})
        self.assertIn("figure-6.pdf", self.drawn())

    def test_without_labels_only_their_figure_is_missing(self):
        shutil.copytree(self.state, self.folder / "state")
        for path in (self.folder / "state" / self.log_id).glob("segment-*.h5"):
            with h5py.File(path, "a") as file:
                del file["label"]
        said = self.plot(state="state").stderr
        self.assertIn("figure-1 (average images) is not drawn: the events carry no true labels",
                      said)
        self.assertNotIn("figure-6", said)
        self.assertIn("figure-6.png", self.drawn())
        self.assertNotIn("figure-1.png", self.drawn())

    def test_a_result_without_its_log_id_draws_what_it_can(self):
        shutil.copy(self.results, self.folder / "old.h5")
        with h5py.File(self.folder / "old.h5", "a") as file:
            del file.attrs["log_id"]
        said = self.plot(results="old.h5").stderr
        self.assertIn("does not tell its log", said)
        self.assertEqual(len(self.drawn()), 2 * (len(SIZES_CM) - len(OF_IMAGES)))

    def test_no_rich_cluster_and_an_empty_cluster_can_be_drawn(self):
        shutil.copy(self.results, self.folder / "odd.h5")
        with h5py.File(self.folder / "odd.h5", "a") as file:
            file["selection/label"][:] = 0
            for name in ("selection/rich", "selection/background", "score/mls", "selection/z"):
                file[name][:] = 0
            file["score/bin"][:] = -1
            file["spectra/counts"][:, 3] = 0
        done = self.plot("--data", "numbers", results="odd.h5")
        self.assertEqual(done.stderr, "")
        self.assertEqual(len(self.drawn()), 2 * len(SIZES_CM))
        self.assertEqual(self.table("figure-8", self.folder)[:, 2].sum(), 19 * 16)

    def test_what_is_no_result_file_ends_with_2_and_draws_nothing(self):
        self.toy("toy.h5", 3)
        shutil.copy(self.results, self.folder / "wrong.h5")
        with h5py.File(self.folder / "wrong.h5", "a") as file:
            del file["selection/z"]
            file["selection/z"] = np.full((3, 20, 16), np.nan)
        shutil.copy(self.results, self.folder / "foreign.h5")
        with h5py.File(self.folder / "foreign.h5", "a") as file:
            file.attrs["analysis"] = "stream: {batch: 7}\n"
        for arguments, because in (
                (["toy.h5"], "no result file"), (["absent.h5"], "absent.h5"), ([], "RESULTS"),
                (["wrong.h5"], "wrong.h5: damaged: /selection/z"),
                (["foreign.h5"], "foreign.h5: its attribute analysis"),
                ([self.results, "--member", "3"], "has members 0 to 2"),
                ([self.results, "--member", "one"], "'one'"),
                ([self.results, "--out", "absent/figures"], "absent/figures")):
            done = self.command("plot", *arguments, code=2)
            self.assertIn(because, done.stderr)
            self.assertFalse((self.folder / "figures").exists(), arguments)

    def test_a_damaged_segment_ends_with_2_and_draws_nothing(self):
        shutil.copytree(self.state, self.folder / "state")
        path = self.folder / "state" / self.log_id / "segment-000001.h5"
        path.write_bytes(path.read_bytes()[:5000])
        self.assertIn("segment-000001.h5", self.plot(state="state", code=2).stderr)
        self.assertFalse((self.folder / "figures").exists())

    def test_without_gnuplot_the_message_names_the_package(self):
        said = self.plot(code=1, env=os.environ | {"PATH": "/nowhere"}).stderr
        self.assertIn("gnuplot-nox", said)
        self.assertEqual(self.drawn(), [])

    def test_a_gnuplot_that_fails_leaves_the_old_picture_whole(self):
        (self.folder / "figures").mkdir()
        (self.folder / "figures/summary.pdf").write_text("old")
        fake = self.folder / "bin" / "gnuplot"
        fake.parent.mkdir()
        for script in ("#!/bin/sh\nprintf '%%PDF-half'; exit 1\n", "#!/bin/sh\nexit 0\n"):
            fake.write_text(script)
            fake.chmod(0o755)
            said = self.plot(code=1, env=os.environ | {"PATH": str(fake.parent)}).stderr
            self.assertIn("figures/summary.pdf: not drawn", said)
            self.assertEqual(self.drawn(), ["summary.pdf"])
            self.assertEqual((self.folder / "figures/summary.pdf").read_text(), "old")


if __name__ == "__main__":
    product.main()
