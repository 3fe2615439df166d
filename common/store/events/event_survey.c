/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/store/events/event_survey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/store/disk/hdf5_util.h"

/* Adds one more name, or dots where no more fit. */
static void note_name(struct event_survey *self, const char *name)
{
    const size_t used = strlen(self->names), room = sizeof self->names - used;
    const char *before = used > 0 ? ", /" : "/";
    if (strlen(name) + sizeof ", /, ..." < room)
        snprintf(self->names + used, room, "%s%s", before, name);
    else if (used == 0 || self->names[used - 1] != '.')
        snprintf(self->names + used, room, used > 0 ? ", ..." : "a very long name ...");
}

/* The group in front of "/last", if the name ends so; NULL otherwise, or when out of memory. */
static char *group_of(const char *name, const char *last)
{
    const size_t size = strlen(name), tail = strlen(last);
    if (size <= tail + 1 || name[size - tail - 1] != '/' || strcmp(name + size - tail, last) != 0)
        return NULL;
    return strndup(name, size - tail - 1);
}

static bool is_compound(hid_t file, const char *name)
{
    const hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    const hid_t type = dataset >= 0 ? H5Dget_type(dataset) : H5I_INVALID_HID;
    const bool compound = type >= 0 && H5Tget_class(type) == H5T_COMPOUND;
    if (type >= 0)
        H5Tclose(type);
    if (dataset >= 0)
        H5Dclose(dataset);
    return compound;
}

static void note_table(struct event_survey *self, char *key)
{
    if (self->n < EVENT_TABLES_MAX)
        self->table[self->n++] = key;
    else
        self->more = true, free(key);
}

static void look_at_dataset(struct event_survey *self, hid_t file, const char *name)
{
    char *key = group_of(name, "block0_values");
    const enum hdf5_found found = key != NULL ? hdf5_find(file, name) : HDF5_MISSING;
    if (found == HDF5_DATASET || found == HDF5_ELSEWHERE)
        note_table(self, key);
    else
        free(key);
    if (self->frame_table != NULL || (key = group_of(name, "table")) == NULL)
        return;
    if (hdf5_find(file, name) == HDF5_DATASET && is_compound(file, name))
        self->frame_table = key;
    else
        free(key);
}

static herr_t look_at(hid_t file, const char *name, const H5L_info_t *link, void *context)
{
    struct event_survey *self = context;
    const bool at_root = strchr(name, '/') == NULL;
    if (at_root)
        note_name(self, name);
    if (link->type == H5L_TYPE_HARD)
        look_at_dataset(self, file, name);
    else if (self->linked == NULL)
        self->linked = at_root ? strdup(name) : group_of(name, "block0_values");
    return ++self->links < EVENT_LINKS_MAX ? 0 : 1;
}

status event_survey_make(struct event_survey *out, hid_t file)
{
    *out = (struct event_survey){0};
    const herr_t walked = H5Lvisit(file, H5_INDEX_NAME, H5_ITER_INC, look_at, out);
    return walked >= 0 || out->n > 0 ? STATUS_OK : STATUS_BAD_INPUT;
}

void event_survey_list(const struct event_survey *self, size_t size, char out[])
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < self->n && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s/%s",
                                 i == 0                          ? ""
                                 : i + 1 < self->n || self->more ? ", "
                                                                 : " and ",
                                 self->table[i]);
    if (self->more && used < size)
        snprintf(out + used, size - used, " and more");
}

void event_survey_fini(struct event_survey *self)
{
    for (size_t i = 0; i < self->n; i++)
        free(self->table[i]);
    free(self->linked);
    free(self->frame_table);
    *self = (struct event_survey){0};
}
