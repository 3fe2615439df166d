/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/store/log/segment_columns.h"

#define COLUMN(name, element, per, member)                       \
    {                                                            \
        name, element, per, offsetof(struct image_batch, member) \
    }
const struct segment_column segment_columns[SEGMENT_COLUMNS] = {
    [COLUMN_M_JJ] = COLUMN("m_jj", HDF5_F32, PER_EVENT, m_jj),
    [COLUMN_ROW] = COLUMN("row", HDF5_U64, PER_EVENT, row),
    [COLUMN_PT] = COLUMN("jet/pt", HDF5_F32, PER_JET, pt),
    [COLUMN_ETA] = COLUMN("jet/eta", HDF5_F32, PER_JET, eta),
    [COLUMN_PHI] = COLUMN("jet/phi", HDF5_F32, PER_JET, phi),
    [COLUMN_MASS] = COLUMN("jet/mass", HDF5_F32, PER_JET, mass),
    [COLUMN_TAU1] = COLUMN("jet/tau1", HDF5_F32, PER_JET, tau1),
    [COLUMN_TAU2] = COLUMN("jet/tau2", HDF5_F32, PER_JET, tau2),
    [COLUMN_TAU3] = COLUMN("jet/tau3", HDF5_F32, PER_JET, tau3),
    [COLUMN_CONSTITUENTS] = COLUMN("jet/constituents", HDF5_U16, PER_JET, constituents),
    [COLUMN_PIXEL] = COLUMN("pixel", HDF5_U16, PER_LIT_PIXEL, pixel),
    [COLUMN_INTENSITY] = COLUMN("intensity", HDF5_F32, PER_LIT_PIXEL, intensity),
    [COLUMN_LABEL] = COLUMN("label", HDF5_I8, PER_EVENT, label),
};

const struct segment_field segment_fields[SEGMENT_FIELDS] = {
    {"batch/source", HDF5_U32, offsetof(struct segment_batch, source)},
    {"batch/seq", HDF5_U64, offsetof(struct segment_batch, seq)},
    {"batch/first_row", HDF5_U64, offsetof(struct segment_batch, images.first_row)},
    {"batch/read", HDF5_U32, offsetof(struct segment_batch, images.read)},
    {"batch/quarantined", HDF5_U32, offsetof(struct segment_batch, images.quarantined)},
    {"batch/events", HDF5_U32, offsetof(struct segment_batch, images.events)},
};

size_t segment_count(const struct image_batch *images, enum segment_per per)
{
    switch (per) {
    case PER_EVENT:
        return images->events;
    case PER_JET:
        return 2 * (size_t)images->events;
    case PER_LIT_PIXEL:
        return images->lit;
    case SEGMENT_PERS:
        break;
    }
    return 0;
}
