# SPDX-License-Identifier: GPL-3.0-or-later
"""Images of the real LHC Olympics events agree with a numpy implementation of the recipe that starts
from the particles: anti-kT by its definition, then shift, rotation, flip and histogram."""
import h5py
import numpy as np

from images import SIDE, Jets
from product import SHARED, SMALL, ProductCase, main, needs_shared, settings

HALF = 0.8
EDGE = 1e-5      # a constituent as near to a pixel's edge may fall on either side
QUADRANT = 1e-6  # two quadrants as near in pT may be taken for each other


def wrap(phi):
    return (phi + np.pi) % (2 * np.pi) - np.pi


def momenta(pt, eta, phi):
    return np.stack([pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta), pt * np.cosh(eta)], 1)


def anti_kt(pt, eta, phi, radius=1.0, pt_min=20.0):
    """Jets as (four-momentum, indices), hardest first: the definition, pair by pair."""
    p = momenta(pt, eta, phi)
    members = [[i] for i in range(len(pt))]
    jets = []
    y, f, k = eta.copy(), phi.copy(), pt ** -2.0
    d = np.minimum.outer(k, k) * ((y[:, None] - y) ** 2 + wrap(f[:, None] - f) ** 2) / radius ** 2
    np.fill_diagonal(d, k)
    while len(members):
        i, j = divmod(int(d.argmin()), len(members))
        if i == j:
            jets.append((p[i], members[i]))
            keep = np.arange(len(members)) != i
        else:
            p[i] = p[i] + p[j]
            members[i] = members[i] + members[j]
            keep = np.arange(len(members)) != j
            y[i] = 0.5 * np.log((p[i, 3] + p[i, 2]) / (p[i, 3] - p[i, 2]))
            f[i] = np.arctan2(p[i, 1], p[i, 0])
            k[i] = 1 / (p[i, 0] ** 2 + p[i, 1] ** 2)
            row = np.minimum(k[i], k) * ((y[i] - y) ** 2 + wrap(f[i] - f) ** 2) / radius ** 2
            row[i] = k[i]
            d[i, :] = d[:, i] = row
        p, y, f, k = p[keep], y[keep], f[keep], k[keep]
        d = d[np.ix_(keep, keep)]
        members = [m for m, kept in zip(members, keep) if kept]
    jets = [jet for jet in jets if np.hypot(jet[0][0], jet[0][1]) > pt_min]
    return sorted(jets, key=lambda jet: -np.hypot(jet[0][0], jet[0][1]))


def image(pt, eta, phi):
    """(pixels, how near the nearest constituent is to an edge, how near the two best quadrants)."""
    order = np.argsort(-pt * np.cosh(eta), kind="stable")[:200]
    pt, eta, phi = pt[order], eta[order], phi[order]
    x, y = wrap(phi - phi[0]), eta - eta[0]
    for _ in range(2):
        x = x - np.average(x, weights=pt)
        y = y - np.average(y, weights=pt)
    moments = np.array([[np.sum(pt * x * x), np.sum(pt * x * y)],
                        [np.sum(pt * x * y), np.sum(pt * y * y)]])
    axis = np.linalg.eigh(moments)[1][:, 1]
    x, y = axis[0] * x + axis[1] * y, -axis[1] * x + axis[0] * y
    quadrants = {(a, b): pt[(a * x >= 0) & (b * y >= 0)].sum() for a in (1, -1) for b in (1, -1)}
    best = max(quadrants, key=quadrants.get)
    sums = sorted(quadrants.values())
    x, y = best[0] * x, best[1] * y
    histogram = np.histogram2d(x, y, bins=SIDE, range=[[-HALF, HALF]] * 2, weights=pt)[0]
    both = np.concatenate([x, y])
    steps = (both + HALF) / (2 * HALF / SIDE)
    edge = np.abs(steps - np.round(steps)).min() * (2 * HALF / SIDE)
    return histogram / histogram.sum(), edge, (sums[-1] - sums[-2]) / sums[-1]


class Images(ProductCase):
    @needs_shared("data/events_anomalydetection_tiny.h5")
    def test_real_events(self):
        file = SHARED / "data/events_anomalydetection_tiny.h5"
        (self.folder / "real.yaml").write_text(SMALL)
        self.command("run", "real.yaml", "--quiet", *settings(
            stages__reader__settings__files=f"[{file}]"))
        product = Jets(self.folder / "state")
        # Read as numpy sees it: blosc through the plugin Debian installs.
        with h5py.File(file) as table:
            rows = table["df/block0_values"][:, :2100].astype("f4").astype(float)
        self.assertEqual(len(product), 2 * len(rows))
        different = 0
        for event, row in enumerate(rows):
            pt, eta, phi = row.reshape(700, 3)[row[::3] > 0].T
            jets = anti_kt(pt, eta, phi)
            total = jets[0][0] + jets[1][0]
            m_jj = np.sqrt(total[3] ** 2 - np.sum(total[:3] ** 2))
            self.assertAlmostEqual(product.m_jj[event] / m_jj, 1, delta=1e-6)
            for j in range(2):
                chosen = jets[j][1]
                expected, edge, quadrant = image(pt[chosen], eta[chosen], phi[chosen])
                lit = slice(product.offset[2 * event + j], product.offset[2 * event + j + 1])
                got = np.zeros(SIDE * SIDE)
                got[product.pixel[lit]] = product.intensity[lit]
                if np.array_equal(np.flatnonzero(expected), product.pixel[lit]):
                    np.testing.assert_allclose(got, expected.ravel(), atol=1e-6)
                    continue
                different += 1
                self.assertTrue(edge < EDGE or quadrant < QUADRANT,
                                f"jet {j} of event {event}: {edge} {quadrant}")
        self.assertLessEqual(different, 0.005 * len(product))


if __name__ == "__main__":
    main()
