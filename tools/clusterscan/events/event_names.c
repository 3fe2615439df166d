/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/events/event_names.h"

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/printable.h"
#include "tools/clusterscan/run/input_record.h"

static char *printable_copy(const char *text)
{
    char safe[4 * PATH_MAX];
    text_printable(text, sizeof safe, safe);
    return strdup(safe);
}

/* Files behind one whose number of events is not known begin nowhere: they are left out. */
static status add_files(struct event_names *self, struct event_names_source *source,
                        const json_t *files)
{
    const size_t room = self->n_files + json_array_size(files) + 1;
    char **path = realloc(self->path, room * sizeof *path);
    self->path = path != NULL ? path : self->path;
    uint64_t *first_row = realloc(self->first_row, room * sizeof *first_row);
    self->first_row = first_row != NULL ? first_row : self->first_row;
    if (path == NULL || first_row == NULL)
        return STATUS_NO_MEMORY;
    uint64_t row = 0;
    for (size_t i = 0; i < json_array_size(files); i++) {
        const json_t *file = json_array_get(files, i);
        const char *name = json_string_value(json_object_get(file, "path"));
        const json_t *events = json_object_get(file, "events");
        if (name == NULL || !json_is_integer(events) || json_integer_value(events) < 0)
            break;
        self->path[self->n_files] = printable_copy(name);
        if (self->path[self->n_files] == NULL)
            return STATUS_NO_MEMORY;
        self->first_row[self->n_files++] = row;
        row += (uint64_t)json_integer_value(events);
        source->n++;
    }
    return STATUS_OK;
}

static status add_source(struct event_names *self, const json_t *record, const char *folder,
                         uint32_t s)
{
    const size_t number = self->n_sources++;
    struct event_names_source *source = &self->source[number];
    *source = (struct event_names_source){.first = self->n_files};
    const char *stage = input_record_stage(record, s);
    char unnamed[32];
    snprintf(unnamed, sizeof unnamed, "source %zu", number);
    source->stage = printable_copy(stage != NULL ? stage : unnamed);
    if (source->stage == NULL)
        return STATUS_NO_MEMORY;
    json_t *files = input_record_files(record, folder, s);
    const status done = add_files(self, source, files);
    json_decref(files);
    return done;
}

status event_names_read(struct event_names *out, const struct result_logs *logs,
                        const uint32_t sources[])
{
    size_t n = 0;
    for (size_t k = 0; k < logs->n; k++)
        n += sources[k];
    *out = (struct event_names){.source = calloc(n + 1, sizeof *out->source)};
    status done = out->source != NULL ? STATUS_OK : STATUS_NO_MEMORY;
    for (size_t k = 0; done == STATUS_OK && k < logs->n; k++) {
        json_t *record = input_record_read(logs->folder[k]);
        for (uint32_t s = 0; done == STATUS_OK && s < sources[k]; s++)
            done = add_source(out, record, logs->folder[k], s);
        json_decref(record);
    }
    if (done != STATUS_OK)
        event_names_fini(out);
    return done;
}

struct event_row event_names_find(const struct event_names *self, uint32_t source, uint64_t row)
{
    if (source >= self->n_sources || self->source[source].n == 0)
        return (struct event_row){self->n_files, row};
    size_t low = self->source[source].first;
    size_t high = low + self->source[source].n; /* the file is in low .. high - 1 */
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        if (self->first_row[middle] <= row)
            low = middle;
        else
            high = middle;
    }
    return (struct event_row){low, row - self->first_row[low]};
}

void event_names_fini(struct event_names *self)
{
    for (size_t s = 0; s < self->n_sources; s++)
        free(self->source[s].stage);
    for (size_t i = 0; i < self->n_files; i++)
        free(self->path[i]);
    free(self->source);
    free(self->path);
    free(self->first_row);
    *self = (struct event_names){0};
}
