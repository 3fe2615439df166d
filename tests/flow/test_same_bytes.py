# SPDX-License-Identifier: GPL-3.0-or-later
"""The same events give the same bytes, however the run is spread out."""
import concurrent.futures

from product import SMALL, ProductCase, digest, main, same_in_h5diff, settings

SPREADS = {
    "one of everything": {},
    "three imagers, two accumulators, two trainers": {
        "stages__images__replicas": 3, "stages__spectra__replicas": 2,
        "stages__trainer__replicas": 2},
    "long segments": {"stages__log__settings__segment": 64},
    "segments of one batch, a narrow window": {
        "stages__log__settings__segment": 1, "stages__log__settings__window": 2,
        "stages__images__replicas": 2},
    "tcp": {"transport": "tcp", "security": "none", "stages__images__replicas": 2},
}


class SameBytes(ProductCase):
    def setUp(self):
        super().setUp()
        (self.folder / "small.yaml").write_text(SMALL)
        self.toy("events.h5", 3333, 333)

    def test_replicas_segments_and_transport_do_not_count(self):
        results = []
        for number, (name, changes) in enumerate(SPREADS.items()):
            file = self.folder / f"results-{number}.h5"
            self.command("run", "small.yaml", "--state", f"state-{number}", "--quiet", *settings(
                **changes, stages__score__settings__results=file.name))
            results.append((name, file))
        first = results[0][1]
        for name, file in results[1:]:
            with self.subTest(name):
                self.assertTrue(same_in_h5diff(first, file))
                self.assertEqual(digest(file), digest(first))

    def test_a_finished_run_started_again_reuses_the_log_and_gives_the_same(self):
        self.command("run", "small.yaml")
        before = digest(self.folder / "results.h5")
        segments = {file: file.stat().st_mtime_ns
                    for file in (self.folder / "state").glob("*/segment-*.h5")}
        self.assertGreater(len(segments), 3)
        self.command("run", "small.yaml")
        self.assertEqual(digest(self.folder / "results.h5"), before)
        for file, written in segments.items():
            self.assertEqual(file.stat().st_mtime_ns, written)

    def test_training_on_the_first_events_does_not_depend_on_timing(self):
        early = settings(analysis__training__events=200)
        self.command("run", "small.yaml", "--state", "a", *early)
        first = digest(self.folder / "results.h5")
        self.command("run", "small.yaml", "--state", "b", *early, *settings(
            stages__images__replicas=3, stages__log__settings__segment=2,
            stages__trainer__replicas=3))
        self.assertEqual(digest(self.folder / "results.h5"), first)
        self.command("run", "small.yaml", "--state", "a")
        self.assertNotEqual(digest(self.folder / "results.h5"), first)

    def test_runs_side_by_side_do_not_meet(self):
        self.toy("other.h5", 2222, seed=9)
        commands = []
        for transport in (("ipc", {}), ("tcp", {"transport": "tcp", "security": "none"})):
            for events in ("events.h5", "other.h5"):
                name = f"{transport[0]}-{events}"
                commands.append((name, ["run", "small.yaml", "--state", f"state-{name}", *settings(
                    **transport[1], stages__reader__settings__files=f"[{events}]",
                    stages__score__settings__results=name)]))
        with concurrent.futures.ThreadPoolExecutor(len(commands)) as pool:
            list(pool.map(lambda item: self.command(*item[1]), commands))
        for events in ("events.h5", "other.h5"):
            self.assertEqual(digest(self.folder / f"ipc-{events}"),
                             digest(self.folder / f"tcp-{events}"))
        self.assertNotEqual(digest(self.folder / "ipc-events.h5"),
                            digest(self.folder / "ipc-other.h5"))

    def test_another_seed_gives_another_answer_from_the_same_images(self):
        self.command("run", "small.yaml")
        before = digest(self.folder / "results.h5")
        self.command("run", "small.yaml", *settings(analysis__training__seed=2))
        self.assertNotEqual(digest(self.folder / "results.h5"), before)
        logs = [entry for entry in (self.folder / "state").iterdir() if entry.is_dir()]
        self.assertEqual(len(logs), 1)


if __name__ == "__main__":
    main()
