/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/store/disk/hdf5_filters.h"

#include <stdbool.h>
#include <stdlib.h>

#include "common/base/log.h"

/* How to unpack what a filter packed; package NULL: no package of Debian can. */
static const struct known_filter {
    H5Z_filter_t id;
    const char *name;
    const char *package;
    const char *otherwise; /* without a package: the command that writes the file anew */
} known_filters[] = {
    {305, "lzo", NULL, "ptrepack --complib=zlib"},
    {307, "bzip2", "hdf5-filter-plugin", NULL},
    {32000, "lzf", "hdf5-plugin-lzf", NULL},
    {32001, "blosc", "hdf5-filter-plugin-blosc-serial", NULL},
    {32004, "lz4", "hdf5-filter-plugin", NULL},
    {32008, "bitshuffle", "bitshuffle", NULL},
    {32013, "zfp", "hdf5-filter-plugin-zfp-serial", NULL},
    {32015, "zstd", NULL, "h5repack -f GZIP=1"},
    {32026, "blosc2", NULL, "ptrepack --complib=zlib"},
};

static const struct known_filter *find_filter(H5Z_filter_t id)
{
    for (size_t i = 0; i < sizeof known_filters / sizeof *known_filters; i++)
        if (known_filters[i].id == id)
            return &known_filters[i];
    return NULL;
}

/* Whether the plug-in lies where HDF5 looks if it is not told otherwise, but it was. */
static bool is_hidden(H5Z_filter_t missing)
{
    if (getenv("HDF5_PLUGIN_PATH") == NULL || H5PLprepend(H5_DEFAULT_PLUGINDIR) < 0)
        return false;
    const bool found = H5Zfilter_avail(missing) > 0;
    H5PLremove(0);
    return found;
}

static status refuse_filter(const char *path, const char *name, H5Z_filter_t missing)
{
    const struct known_filter *known = find_filter(missing);
    if (is_hidden(missing))
        log_error(
            "%s: /%s is compressed with %s, whose plug-in is installed in %s, where HDF5 does "
            "not look because HDF5_PLUGIN_PATH=%s: unset that, or add the folder to it",
            path, name, known != NULL ? known->name : "an HDF5 filter", H5_DEFAULT_PLUGINDIR,
            getenv("HDF5_PLUGIN_PATH"));
    else if (known == NULL)
        log_error("%s: /%s needs HDF5 filter %d, which is not installed", path, name, (int)missing);
    else if (known->package != NULL)
        log_error("%s: /%s is compressed with %s, which HDF5 cannot read here: install the "
                  "package %s",
                  path, name, known->name, known->package);
    else
        log_error("%s: /%s is compressed with %s (HDF5 filter %d), for which there is no package: "
                  "write the file anew where it can be read, with %s",
                  path, name, known->name, (int)missing, known->otherwise);
    return STATUS_BAD_INPUT;
}

/* HDF5 loads a filter's plugin when it is asked for it here. */
status hdf5_check_filters(const char *path, const char *name, hid_t dataset)
{
    const hid_t made = H5Dget_create_plist(dataset);
    const int n = made >= 0 ? H5Pget_nfilters(made) : 0;
    H5Z_filter_t missing = H5Z_FILTER_NONE;
    for (int i = 0; i < n && missing == H5Z_FILTER_NONE; i++) {
        size_t values = 0;
        const H5Z_filter_t filter =
            H5Pget_filter2(made, (unsigned)i, NULL, &values, NULL, 0, NULL, NULL);
        if (filter > 0 && H5Zfilter_avail(filter) <= 0)
            missing = filter;
    }
    if (made >= 0)
        H5Pclose(made);
    return missing == H5Z_FILTER_NONE ? STATUS_OK : refuse_filter(path, name, missing);
}
