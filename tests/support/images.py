# SPDX-License-Identifier: GPL-3.0-or-later
"""images: sealed segments read with h5py, and the dense images of the method's definition."""
import pathlib

import h5py
import numpy as np
from scipy.ndimage import gaussian_filter

SIDE = 40


class Jets:
    """All jets of a state folder in the log's order: sparse images, and m_jj of their events."""

    def __init__(self, state):
        folders = [entry for entry in pathlib.Path(state).iterdir() if entry.is_dir()]
        assert len(folders) == 1, folders
        offset, pixel, intensity, m_jj, row = [np.zeros(1, "u8")], [], [], [], []
        for path in sorted(folders[0].glob("segment-*.h5")):
            with h5py.File(path) as file:
                offset.append(file["offset"][1:] + offset[-1][-1])
                pixel.append(file["pixel"][()])
                intensity.append(file["intensity"][()])
                m_jj.append(file["m_jj"][()])
                row.append(file["row"][()])
        self.offset = np.concatenate(offset).astype(int)
        self.pixel = np.concatenate(pixel).astype(int)
        self.intensity = np.concatenate(intensity)
        self.m_jj = np.concatenate(m_jj)
        self.row = np.concatenate(row)

    def __len__(self):
        return len(self.offset) - 1

    def dense(self, jets, power=0.5, sigma=1.0):
        """Images [jets, 1600] in double: power, smearing, division by the sum."""
        images = np.zeros((len(jets), SIDE * SIDE))
        for i, jet in enumerate(jets):
            lit = slice(self.offset[jet], self.offset[jet + 1])
            images[i, self.pixel[lit]] = self.intensity[lit].astype(float) ** power
        return smear(images, sigma)


def smear(images, sigma=1.0):
    """Gaussian smearing as scipy does it, then division by the sum."""
    cube = images.reshape(-1, SIDE, SIDE)
    cube = gaussian_filter(cube, sigma=(0, sigma, sigma), mode="reflect", truncate=4.0)
    flat = cube.reshape(len(images), SIDE * SIDE)
    return flat / flat.sum(axis=1, keepdims=True)
