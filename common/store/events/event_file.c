/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/store/events/event_file.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/store/disk/hdf5_filters.h"
#include "common/store/disk/hdf5_util.h"
#include "common/store/events/event_columns.h"
#include "common/store/events/event_layouts.h"
#include "common/store/events/event_survey.h"
#include "common/store/events/event_table.h"
#include "common/store/events/masterkey.h"
#include "common/store/events/table_name.h"

const char *event_layout_name(enum event_layout layout)
{
    return layout == LAYOUT_LHCO_TABLE ? "lhco-table" : "columns";
}

/* Names the kind of HDF5 file found for the message: people open our own files by mistake too. */
static void refuse_layout(const event_file *self, const struct event_survey *survey)
{
    const char *kind = NULL;

    if (H5Aexists(self->file, "events_quarantined") > 0)
        kind = "this is a result file of clusterscan (see clusterscan report)";
    else if (hdf5_find(self->file, "batch/seq") == HDF5_DATASET)
        kind = "this is a segment of an image log";
    log_error("%s: unknown layout, expected a table KEY/block0_values or /events/offset: %s%s",
              self->path, kind != NULL ? kind : "found ",
              kind != NULL               ? ""
              : survey->names[0] != '\0' ? survey->names
                                         : "nothing");
}

static bool has_table(const event_file *self, const char *key)
{
    char *values;
    if (asprintf(&values, "%s/block0_values", key) < 0)
        return false;
    const bool has = hdf5_find(self->file, values) != HDF5_MISSING;
    free(values);
    return has;
}

/* The table to read, NULL if the file leaves the choice open (logged). */
static const char *choose_table(const event_file *self, const struct event_survey *survey,
                                const char *key)
{
    char list[300];
    if (key == NULL && survey->n == 1)
        return survey->table[0];
    event_survey_list(survey, sizeof list, list);
    if (key != NULL)
        log_error("%s: there is no table /%s/block0_values; tables of this file are %s", self->path,
                  key, list);
    else
        log_error("%s: holds more than one table of events: %s. Name one of them, as in %s:%s",
                  self->path, list, self->path, survey->table[0]);
    return NULL;
}

static status open_surveyed(event_file *self, const struct event_survey *survey, const char *key)
{
    const char *columns = "events";
    if (key != NULL && has_table(self, key))
        return event_table_open(self, key);
    if (survey->n > 0 && (key == NULL || strcmp(key, columns) != 0)) {
        const char *table = choose_table(self, survey, key);
        return table != NULL ? event_table_open(self, table) : STATUS_BAD_INPUT;
    }
    if (key != NULL && strcmp(key, columns) != 0)
        log_error("%s: there is no table /%s/block0_values, nor any other", self->path, key);
    else if (hdf5_find(self->file, "events/offset") != HDF5_MISSING)
        return event_columns_open(self);
    else if (survey->linked != NULL)
        log_error("%s: /%s is reached by a soft or external link, expected the dataset itself",
                  self->path, survey->linked);
    else if (survey->frame_table != NULL)
        log_error("%s: /%s is in pandas' format='table', expected format='fixed': write it anew "
                  "with DataFrame.to_hdf(..., format='fixed')",
                  self->path, survey->frame_table);
    else
        refuse_layout(self, survey);
    return STATUS_BAD_INPUT;
}

static status open_layout(event_file *self, const char *key)
{
    struct event_survey survey;
    const status done = event_survey_make(&survey, self->file);
    const status outcome = done == STATUS_OK ? open_surveyed(self, &survey, key) : done;
    if (done == STATUS_BAD_INPUT)
        log_error("%s: truncated or damaged HDF5 file", self->path);
    event_survey_fini(&survey);
    return outcome;
}

static status add_masterkey(event_file *self, const char *masterkey)
{
    if (masterkey == NULL)
        return STATUS_OK;
    if (self->layout != LAYOUT_LHCO_TABLE || self->labelled) {
        log_error("%s: a masterkey (%s) is for tables without labels only; this %s", self->path,
                  masterkey, self->labelled ? "file has labels" : "file has another layout");
        return STATUS_BAD_INPUT;
    }
    self->labelled = true;
    return masterkey_read(masterkey, self->events, &self->masterkey);
}

status event_file_open(event_file **out, const char *name, const char *masterkey)
{
    assert(out != NULL && name != NULL);
    *out = NULL;
    event_file *self = malloc(sizeof *self);
    if (self == NULL)
        return STATUS_NO_MEMORY;
    *self = (event_file){.file = H5I_INVALID_HID};
    event_labels_usual(&self->labels);
    self->table.values = H5I_INVALID_HID;
    self->columns.offset = self->columns.label = H5I_INVALID_HID;
    self->columns.pt.values = self->columns.eta.values = H5I_INVALID_HID;
    self->columns.phi.values = H5I_INVALID_HID;
    struct table_name parts;
    status outcome = table_name_parse(&parts, name);
    self->path = parts.path;
    hdf5_guard(self->path);
    if (outcome == STATUS_OK)
        outcome = hdf5_open(&self->file, self->path);
    if (outcome == STATUS_OK) {
        hsize_t bytes = 0;
        H5Fget_filesize(self->file, &bytes);
        self->bytes = bytes;
        outcome = open_layout(self, parts.key);
    }
    hdf5_guard(NULL);
    free(parts.key);
    if (outcome == STATUS_OK)
        outcome = add_masterkey(self, masterkey);
    if (outcome == STATUS_OK)
        *out = self;
    else
        event_file_close(&self);
    return outcome;
}

void event_file_close(event_file **self)
{
    if (self == NULL || *self == NULL)
        return;
    if ((*self)->reader != NULL)
        (*self)->reader->close(*self);
    if ((*self)->file >= 0)
        H5Fclose((*self)->file);
    event_arrays_fini(&(*self)->arrays);
    free((*self)->masterkey);
    free((*self)->mapped);
    free((*self)->path);
    free(*self);
    *self = NULL;
}

enum event_layout event_file_layout(const event_file *self)
{
    return self->layout;
}

uint64_t event_file_events(const event_file *self)
{
    return self->events;
}

bool event_file_has_labels(const event_file *self)
{
    return self->labelled;
}

const char *event_file_shape(const event_file *self)
{
    return self->shape;
}

void event_file_set_labels(event_file *self, const struct event_labels *labels)
{
    self->labels = *labels;
}

/* Translates the labels of the file into `mapped`. */
static status map_labels(event_file *self, uint64_t first, uint32_t n, const int8_t label[])
{
    if (self->mapped == NULL || n > self->mapped_room) {
        free(self->mapped);
        self->mapped = malloc((size_t)n + 1);
        self->mapped_room = self->mapped != NULL ? n : 0;
        if (self->mapped == NULL)
            return STATUS_NO_MEMORY;
    }
    for (uint32_t e = 0; e < n; e++) {
        self->mapped[e] = self->labels.meaning[label[e] + 128];
        if (self->mapped[e] >= 0)
            continue;
        char known[80];
        event_labels_list(&self->labels, sizeof known, known);
        log_error("%s: row %" PRIu64
                  ": label %d, expected %s (the reader's settings.labels say which "
                  "mean background and signal)",
                  self->path, first + e, label[e], known);
        return STATUS_BAD_INPUT;
    }
    return STATUS_OK;
}

/* An azimuth beyond 2 pi is in degrees, or damaged. Reported once a file. */
static void check_angles(event_file *self, const struct event_batch *batch)
{
    const float most = 6.2832F;
    bool beyond = false;
    for (uint32_t i = 0; i < batch->particles; i++)
        beyond |= !(fabsf(batch->phi[i]) <= most);
    if (!beyond)
        return;
    uint32_t e = 0, i = 0;
    while (fabsf(batch->phi[i]) <= most)
        i++;
    while (batch->offset[e + 1] <= i)
        e++;
    log_warning("%s: row %" PRIu64 ": an azimuth phi of %g: angles are taken to be in radians, "
                "within 2 pi; the jets will be wrong",
                self->path, batch->first_row + e, (double)batch->phi[i]);
    self->told_angles = true;
}

status event_file_read(event_file *self, uint64_t first, uint32_t n, struct event_batch *out)
{
    assert(first <= self->events && n <= self->events - first);
    uint32_t particles;
    status outcome = event_arrays_reserve(&self->arrays, n, 0);
    hdf5_guard(self->path);
    if (outcome == STATUS_OK)
        outcome = self->reader->read(self, first, n, &particles);
    hdf5_guard(NULL);
    if (outcome != STATUS_OK)
        return outcome;
    const int8_t *label = self->masterkey != NULL ? self->masterkey + first : self->arrays.label;
    if (self->labelled)
        outcome = map_labels(self, first, n, label);
    if (outcome != STATUS_OK)
        return outcome;
    *out = (struct event_batch){
        .first_row = first,
        .events = n,
        .particles = particles,
        .offset = self->arrays.offset,
        .pt = self->arrays.pt,
        .eta = self->arrays.eta,
        .phi = self->arrays.phi,
        .label = self->labelled ? self->mapped : NULL,
    };
    if (!self->told_angles)
        check_angles(self, out);
    return STATUS_OK;
}

status event_file_identity(const event_file *self, struct file_identity *out)
{
    int *fd;
    if (H5Fget_vfd_handle(self->file, H5P_DEFAULT, (void **)&fd) < 0)
        return STATUS_IO;
    return file_identity_of_open(*fd, out);
}

status event_file_reread(const event_file *self, struct content *out)
{
    int *fd;
    char path[40];
    if (H5Fget_vfd_handle(self->file, H5P_DEFAULT, (void **)&fd) < 0)
        return STATUS_IO;
    snprintf(path, sizeof path, "/proc/self/fd/%d", *fd);
    return content_read(out, path);
}
