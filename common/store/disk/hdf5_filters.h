/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hdf5_filters: whether HDF5 can unpack a dataset here, and what helps if not. */
#ifndef COMMON_STORE_DISK_HDF5_FILTERS_H
#define COMMON_STORE_DISK_HDF5_FILTERS_H

#include <hdf5.h>

#include "common/base/status.h"

/* Loads the plug-ins of all filters that the dataset, called /name in the file at path, was
 * compressed with. STATUS_BAD_INPUT if one is missing; the log says which, and the package or
 * command that helps. */
MUST_CHECK status hdf5_check_filters(const char *path, const char *name, hid_t dataset);

#endif
