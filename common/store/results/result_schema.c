/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/store/results/result_schema.h"

#include <string.h>

#include "common/store/disk/hdf5_util.h"

const struct result_dataset result_schema[] = {
    {"edges", "f64", "[bin + 1]", "GeV", "edges of the mass bins, which are half-open"},
    {"dropped/reason", "text", "[reason]", "", "why an event that was read is not counted"},
    {"dropped/count", "u64", "[reason]", "events", "events dropped for that reason"},
    {"codebook/centres", "f32", "[member, cluster, pixel]", "1",
     "k-means centres before smearing, power applied"},
    {"codebook/inertia", "f64", "[member]", "1", "sum of squared distances of the training jets"},
    {"codebook/steps", "u64", "[member]", "1", "mini-batches of the training"},
    {"codebook/seed", "u64", "[member]", "1", "key of the member's random numbers"},
    {"model/algorithm", "text", "[member]", "", "what trained it"},
    {"model/prototypes", "u32", "[member]", "1", "how many prototypes it has"},
    {"model/cutoff", "f64", "[member]", "1",
     "jets whose least score is above it are of the last cluster; infinity: none"},
    {"model/prototype", "f32", "[prototype, pixel]", "1",
     "those of all members one behind the other, c, before smearing, power applied"},
    {"model/scale", "f64", "[prototype]", "1", "of its score, scale abs(x - c)^2 + bias"},
    {"model/bias", "f64", "[prototype]", "1", "of its score"},
    {"model/map", "u16", "[prototype]", "1",
     "cluster of the jets that have their least score here"},
    {"spectra/counts", "u64", "[member, cluster, bin]", "jets", "jets per cluster and mass bin"},
    {"selection/z", "f64", "[member, cluster, bin]", "standard deviations",
     "robustly standardised share of a cluster's jets in a bin"},
    {"selection/label", "u8", "[member, cluster]", "1", "1: picked as signal-rich"},
    {"selection/rich", "u64", "[member, bin]", "jets", "jets in the picked clusters"},
    {"selection/depleted", "u64", "[member, bin]", "jets", "jets in all other clusters"},
    {"selection/background", "f64", "[member, bin]", "jets",
     "expected in the picked clusters: depleted, scaled to their sum"},
    {"score/mls", "f64", "[member]", "standard deviations",
     "maximum local significance, of clusters picked for it: not calibrated"},
    {"score/bin", "i32", "[member]", "1", "its mass bin, -1: none"},
    {"score/mls_mean", "f64", "", "standard deviations", "mean of mls over the members"},
    {"score/mls_median", "f64", "", "standard deviations", "median of mls over the members"},
    {"score/mls_max", "f64", "", "standard deviations", "largest mls of a member"},
    {"score/mls_min", "f64", "", "standard deviations", "smallest mls of a member"},
    {"history/events", "u64", "[slice]", "events", "events read up to the end of the slice"},
    {"history/mls_mean", "f64", "[slice]", "standard deviations", "mls_mean of those events"},
    {"truth/signal_counts", "u64", "[member, cluster, bin]", "jets",
     "those of spectra/counts that are of events with label 1"},
    {"verdict/name", "text", "[check]", "", "a check of the answer"},
    {"verdict/state", "text", "[check]", "", "good, doubtful or bad"},
    {"verdict/text", "text", "[check]", "", "what was found and what was expected"},
    {"refused/file", "text", "[file]", "", "an input file that was not taken"},
    {"refused/reason", "text", "[file]", "", "why it was not"},
    {"quarantined/file", "text", "[range]", "", "an input file of which rows are not counted"},
    {"quarantined/first_row", "u64", "[range]", "1", "first of these rows within the file"},
    {"quarantined/rows", "u64", "[range]", "events", "how many rows follow each other"},
    {"quarantined/reason", "text", "[range]", "", "why they are not counted"},
    {0},
};

static bool add_text(hid_t dataset, const char *name, const char *text)
{
    const hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    hid_t attribute = H5I_INVALID_HID;
    bool done = false;
    if (type >= 0 && space >= 0 && H5Tset_size(type, strlen(text) + 1) >= 0 &&
        H5Tset_cset(type, H5T_CSET_UTF8) >= 0)
        attribute = H5Acreate2(dataset, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute >= 0) {
        done = H5Awrite(attribute, type, text) >= 0;
        H5Aclose(attribute);
    }
    if (space >= 0)
        H5Sclose(space);
    if (type >= 0)
        H5Tclose(type);
    return done;
}

bool result_schema_describe(hid_t file)
{
    bool done = true;
    for (const struct result_dataset *d = result_schema; done && d->path != NULL; d++) {
        if (hdf5_find(file, d->path) != HDF5_DATASET)
            continue;
        const hid_t dataset = H5Dopen2(file, d->path, H5P_DEFAULT);
        done = dataset >= 0 && add_text(dataset, "units", d->unit) &&
               add_text(dataset, "description", d->help);
        if (dataset >= 0)
            H5Dclose(dataset);
    }
    return done;
}
