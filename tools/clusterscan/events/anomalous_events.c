/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/events/anomalous_events.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/kernels/clustering/model.h"
#include "common/store/log/log_folder.h"
#include "common/store/log/segment_images.h"

struct labeller {
    const struct result_tables *tables;
    const struct analysis *analysis;
    const struct event_wish *wish;
    size_t members;
    smearing *smear;
    model **model;    /* [members] */
    size_t room;      /* images */
    uint64_t *offset; /* [room + 1] */
    uint16_t *label;  /* [members, room] */
    size_t n_logs;
    size_t at;             /* the log that is read ... */
    uint32_t first_source; /* ... the number of its first source ... */
    uint64_t index;        /* ... and how many of its batches were */
};

enum { EVENTS_SHIFT = 24 }; /* a batch has fewer events */

static void labeller_fini(struct labeller *self)
{
    for (size_t m = 0; self->model != NULL && m < self->members; m++)
        model_destroy(&self->model[m]);
    free(self->model);
    smearing_destroy(&self->smear);
    free(self->offset);
    free(self->label);
}

static status make_models(struct labeller *self)
{
    const struct result_tables *tables = self->tables;
    self->members = tables->summary.members;
    self->model = calloc(self->members + 1, sizeof(model *));
    status done = self->model != NULL ? smearing_create(&self->smear, self->analysis->image.pixels,
                                                        self->analysis->image.smear)
                                      : STATUS_NO_MEMORY;
    for (size_t m = 0; done == STATUS_OK && m < self->members; m++)
        done = model_create(&self->model[m], &tables->models.record[m], self->smear);
    return done;
}

static status reserve(struct labeller *self, size_t images)
{
    if (self->offset != NULL && images <= self->room)
        return STATUS_OK;
    uint64_t *offset = realloc(self->offset, (images + 1) * sizeof *offset);
    self->offset = offset != NULL ? offset : self->offset;
    uint16_t *label = realloc(self->label, (images * self->members + 1) * sizeof *label);
    self->label = label != NULL ? label : self->label;
    if (offset == NULL || label == NULL)
        return STATUS_NO_MEMORY;
    self->room = images;
    return STATUS_OK;
}

/* --- the list ---------------------------------------------------------------------------- */

static int by_anomaly(const void *a, const void *b)
{
    const struct anomalous_event *x = a;
    const struct anomalous_event *y = b;
    if (x->agreeing != y->agreeing)
        return x->agreeing > y->agreeing ? -1 : 1;
    if (x->jets != y->jets)
        return x->jets > y->jets ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* Sorts, and forgets what is behind the first `top`. */
static void settle(struct anomalous_events *self, size_t top)
{
    if (self->n > 0)
        qsort(self->event, self->n, sizeof *self->event, by_anomaly);
    while (top > 0 && self->n > top)
        free(self->event[--self->n].rich);
}

static status append(struct anomalous_events *self, const struct anomalous_event *event, size_t top)
{
    if (self->n == self->room && top > 0)
        settle(self, top); /* the room is at least twice as large */
    if (self->n == self->room) {
        const size_t room = 2 * (self->room > top ? self->room : top) + 64;
        struct anomalous_event *larger = realloc(self->event, room * sizeof *larger);
        if (larger == NULL)
            return STATUS_NO_MEMORY;
        self->event = larger;
        self->room = room;
    }
    self->event[self->n++] = *event;
    return STATUS_OK;
}

void anomalous_events_fini(struct anomalous_events *self)
{
    for (size_t i = 0; i < self->n; i++)
        free(self->event[i].rich);
    free(self->sources);
    free(self->event);
    *self = (struct anomalous_events){0};
}

/* --- events ------------------------------------------------------------------------------ */

static void count_rich(const struct labeller *self, size_t images, size_t e,
                       struct anomalous_event *event, uint8_t rich[])
{
    const uint8_t *is_rich = self->tables->summary.label;
    for (size_t m = 0; m < self->members; m++) {
        const uint16_t *label = self->label + m * images + 2 * e;
        const uint8_t *of_member = is_rich + m * self->tables->summary.clusters;
        rich[m] = (uint8_t)(of_member[label[0]] + of_member[label[1]]);
        event->agreeing += rich[m] > 0;
        event->jets += rich[m];
    }
}

/* By (index in the log, log), and in the batch by event. */
static uint64_t order_of(const struct labeller *self, size_t event)
{
    return (self->index * self->n_logs + self->at) << EVENTS_SHIFT | event;
}

static status add_event(struct labeller *self, const struct segment_batch *batch, size_t e,
                        struct anomalous_events *out)
{
    const struct image_batch *images = &batch->images;
    const double m_jj = (double)images->m_jj[e];
    if (m_jj < self->wish->window[0] || m_jj >= self->wish->window[1])
        return STATUS_OK;
    struct anomalous_event event = {.order = order_of(self, e),
                                    .source = self->first_source + batch->source,
                                    .row = images->row[e],
                                    .m_jj = m_jj,
                                    .label = images->label != NULL ? images->label[e] : -1};
    event.rich = malloc(self->members + 1);
    if (event.rich == NULL)
        return STATUS_NO_MEMORY;
    count_rich(self, 2 * (size_t)images->events, e, &event, event.rich);
    status done = STATUS_END;
    if (self->wish->all || event.agreeing > 0)
        done = append(out, &event, self->wish->top);
    if (done != STATUS_OK)
        free(event.rich);
    return done == STATUS_END ? STATUS_OK : done;
}

static status add_batch(struct labeller *self, const struct segment_batch *batch,
                        struct anomalous_events *out)
{
    const struct image_batch *images = &batch->images;
    const size_t n = 2 * (size_t)images->events;
    status done = reserve(self, n);
    if (done != STATUS_OK)
        return done;
    for (size_t j = 0; j <= n; j++)
        self->offset[j] = images->offset[j];
    const struct sparse_images sparse = {
        .n = n, .offset = self->offset, .pixel = images->pixel, .value = images->intensity};
    models_label_fractions(self->members, self->model, self->analysis->image.power, &sparse,
                           self->label);
    for (size_t e = 0; done == STATUS_OK && e < images->events; e++)
        done = add_event(self, batch, e, out);
    self->index++;
    return done;
}

static status add_segment(struct labeller *self, log_folder *log, size_t i,
                          struct anomalous_events *out)
{
    char why[LOG_FOLDER_WHY];
    char path[4300];
    segment *part = NULL;
    status done = segment_images_load(log, i, &part, why);
    log_folder_path(log, i, sizeof path, path);
    if (done == STATUS_BAD_SHAPE) {
        log_error("%s: %s; the next run on this log makes it again", path, why);
        done = STATUS_BAD_INPUT;
    }
    for (size_t b = 0; done == STATUS_OK && b < segment_batches(part); b++) {
        struct segment_batch batch;
        segment_get(part, b, &batch);
        const uint32_t side = self->analysis->image.pixels;
        const char *fault = image_batch_fault(&batch.images, side * side);
        if (fault == NULL && batch.source >= out->sources[self->at])
            fault = "a batch of a source that the log does not have";
        if (fault != NULL)
            log_error("%s: does not fit the result: %s", path, fault);
        done = fault == NULL ? add_batch(self, &batch, out) : STATUS_BAD_INPUT;
    }
    segment_close(&part);
    return done;
}

static status check_log_id(const log_folder *log, const char *log_id)
{
    if (strcmp(log_folder_log_id(log), log_id) == 0)
        return STATUS_OK;
    log_error("%s: holds image log %s, but the result was made of %s", log_folder_name(log),
              log_folder_log_id(log), log_id);
    return STATUS_BAD_INPUT;
}

static status add_log(struct labeller *self, const char *folder, const char *id,
                      struct anomalous_events *out)
{
    log_folder *log = NULL;
    status done = log_folder_read(&log, &segment_images, folder);
    if (done == STATUS_OK) {
        out->sources[self->at] = log_folder_sources(log);
        done = check_log_id(log, id);
    }
    self->index = 0;
    for (size_t i = 0; done == STATUS_OK && i < log_folder_segments(log); i++)
        done = add_segment(self, log, i, out);
    log_folder_close(&log);
    return done;
}

status anomalous_events_find(struct anomalous_events *out, const struct result_logs *logs,
                             const struct result_tables *tables, const struct analysis *analysis,
                             const struct event_wish *wish)
{
    *out = (struct anomalous_events){.sources = calloc(logs->n, sizeof *out->sources)};
    struct labeller labeller = {
        .tables = tables, .analysis = analysis, .wish = wish, .n_logs = logs->n};
    status done = out->sources != NULL ? make_models(&labeller) : STATUS_NO_MEMORY;
    for (size_t k = 0; done == STATUS_OK && k < logs->n; k++) {
        labeller.at = k;
        done = add_log(&labeller, logs->folder[k], logs->id[k], out);
        labeller.first_source += out->sources[k];
    }
    if (done == STATUS_OK)
        settle(out, wish->top);
    else
        anomalous_events_fini(out);
    labeller_fini(&labeller);
    return done;
}
