/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stages/composition_scorer/composition_scorer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/array.h"
#include "common/base/log.h"
#include "common/stage/batch_labels.h"
#include "common/stage/result_renewal.h"
#include "common/store/results/scan_file.h"
#include "stages/composition_scorer/slice_scan.h"

/* A slice whose scan is still to be made. */
struct pending {
    uint64_t slice;
    size_t events; /* inside the spectrum */
    struct tally tally;
};

/* One line per slice that was scanned. */
struct history {
    size_t n;
    size_t events_room, toys_room, ln_p_room, z_room;
    uint64_t *events; /* [n] read */
    uint32_t *toys;
    double *ln_p;
    double *z;
};

struct scorer {
    struct analysis analysis;
    const char *run_id;
    const char *log_id;
    const char *analysis_text;
    const struct stage_input *inputs;
    struct result_renewal renewal;
    uint32_t toys;      /* of the last slice ... */
    uint32_t live_toys; /* ... and of every other */
    uint64_t seed;
    struct batch_labels labels;
    composition *data;
    struct tally tally;
    uint64_t slice;   /* the one being filled */
    uint64_t reached; /* one past the place of the last batch */
    size_t waiting_room;
    struct pending *waiting; /* [n_waiting] in order */
    size_t n_waiting;
    bool ended;       /* the log has */
    slice_scan *scan; /* of waiting[0]; NULL: not begun */
    slice_scan *last;
    struct pending last_slice;
    struct history history;
};

void composition_scorer_destroy(void **state)
{
    struct scorer *self = *state;
    if (self == NULL)
        return;
    slice_scan_destroy(&self->scan);
    slice_scan_destroy(&self->last);
    composition_destroy(&self->data);
    batch_labels_fini(&self->labels);
    free(self->waiting);
    free(self->history.events);
    free(self->history.toys);
    free(self->history.ln_p);
    free(self->history.z);
    result_renewal_fini(&self->renewal);
    free(self);
    *state = NULL;
}

static uint64_t whole_number(const json_t *settings, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(settings, key));
}

/* One toy has no spread: it takes two. */
static uint32_t toys_of(const json_t *settings, const char *key)
{
    const uint64_t toys = whole_number(settings, key);
    return toys == 1 ? 2 : (uint32_t)toys;
}

static status read_settings(struct scorer *self, const json_t *settings,
                            struct composition_settings *scan)
{
    const char *classes = json_string_value(json_object_get(settings, "classes"));
    self->toys = toys_of(settings, "toys");
    self->live_toys = toys_of(settings, "live_toys");
    self->seed = whole_number(settings, "seed");
    *scan = composition_defaults;
    if (classes != NULL && strcmp(classes, "jets") == 0)
        scan->classes = COMPOSITION_JETS;
    scan->narrowest = (uint32_t)whole_number(settings, "narrowest");
    scan->widest = (uint32_t)whole_number(settings, "widest");
    return result_renewal_init(&self->renewal, settings, self->run_id);
}

status composition_scorer_create(void **out, const struct stage_setup *setup)
{
    struct composition_settings scan;
    struct scorer *self = calloc(1, sizeof *self);
    *out = self;
    if (self == NULL)
        return STATUS_NO_MEMORY;
    self->analysis = setup->analysis;
    self->run_id = setup->run_id;
    self->log_id = setup->log_id;
    self->analysis_text = setup->analysis_text;
    self->inputs = setup->inputs;
    status done = read_settings(self, setup->settings, &scan);
    char why[200];
    if (done == STATUS_OK && !composition_fits(&scan, self->analysis.training.clusters,
                                               self->analysis.spectra.bins, sizeof why, why)) {
        log_error("%s", why);
        done = STATUS_BAD_INPUT;
    }
    if (done == STATUS_OK)
        done = batch_labels_init(&self->labels, &self->analysis);
    if (done == STATUS_OK)
        done = composition_create(&self->data, &scan, self->analysis.training.ensemble,
                                  self->analysis.training.clusters, self->analysis.spectra.bins);
    return done;
}

void composition_scorer_filter(void *state, size_t input, struct feed_filter *filter)
{
    const struct scorer *self = state;
    if (self->inputs[input].type != MESSAGE_MODEL)
        memcpy(filter->mass, self->analysis.spectra.window, sizeof filter->mass);
}

/* ---- events ---- */

/* Puts every slice that ends at or before place `next` on the list. */
static status end_slices(struct scorer *self, uint64_t next)
{
    while (next >= (self->slice + 1) * self->analysis.stream.slice) {
        const status done = ARRAY_RESERVE(&self->waiting, &self->waiting_room, self->n_waiting + 1);
        if (done != STATUS_OK)
            return done;
        self->waiting[self->n_waiting++] =
            (struct pending){self->slice++, composition_events(self->data), self->tally};
    }
    return STATUS_OK;
}

static status add_batch(struct scorer *self, const struct image_batch *batch)
{
    const status done = batch_labels_make(&self->labels, batch);
    if (done != STATUS_OK)
        return done;
    tally_add_batch(&self->tally, batch);
    return composition_add(self->data, batch->events, self->labels.bin, self->labels.label);
}

status composition_scorer_process(void *state, const struct stage_item *item,
                                  struct stage_outlet *outlet)
{
    struct scorer *self = state;
    (void)outlet;
    if (item->header->type == MESSAGE_MODEL)
        return batch_labels_take(&self->labels, &item->record->model);
    status done = end_slices(self, item->place);
    if (done == STATUS_OK)
        done = add_batch(self, &item->record->images);
    self->reached = item->place + 1;
    /* The last of its places in a slice ends it; where the next batch is not known yet, next may be
     * far beyond. */
    const uint64_t end = (self->slice + 1) * self->analysis.stream.slice;
    return done == STATUS_OK && item->next >= end ? end_slices(self, end) : done;
}

status composition_scorer_finish(void *state, size_t input, uint64_t total,
                                 struct stage_outlet *outlet)
{
    struct scorer *self = state;
    const uint64_t slice = self->analysis.stream.slice;
    (void)outlet;
    if (self->inputs[input].type == MESSAGE_MODEL)
        return model_arrivals_check(&self->labels.arrivals);
    self->ended = true;
    if (total == 0) {
        log_error("no batch has arrived: there is nothing to scan");
        return STATUS_BAD_INPUT;
    }
    return end_slices(self, (total + slice - 1) / slice * slice);
}

/* ---- scans ---- */

/* Whether a batch behind the first waiting slice has arrived. */
static bool is_before_others(const struct scorer *self)
{
    return self->n_waiting > 1 ||
           (self->n_waiting == 1 &&
            self->reached > (self->waiting[0].slice + 1) * self->analysis.stream.slice);
}

static bool is_last(const struct scorer *self)
{
    return self->ended && self->n_waiting == 1 && !is_before_others(self);
}

/* The last slice has more toys than the others: a slice is scanned once the next batch or the end
 * of the log shows which it is. */
static status begin_scan(struct scorer *self, bool *begun)
{
    *begun = is_before_others(self) || is_last(self);
    if (!*begun)
        return STATUS_OK;
    const uint32_t toys = is_last(self) ? self->toys : self->live_toys;
    return slice_scan_create(&self->scan, self->data, self->waiting[0].events, toys, self->seed);
}

static status add_history(struct history *self, uint64_t read, const struct scan_record *scan)
{
    status done = ARRAY_RESERVE(&self->events, &self->events_room, self->n + 1);
    if (done == STATUS_OK)
        done = ARRAY_RESERVE(&self->toys, &self->toys_room, self->n + 1);
    if (done == STATUS_OK)
        done = ARRAY_RESERVE(&self->ln_p, &self->ln_p_room, self->n + 1);
    if (done == STATUS_OK)
        done = ARRAY_RESERVE(&self->z, &self->z_room, self->n + 1);
    if (done != STATUS_OK)
        return done;
    self->events[self->n] = read;
    self->toys[self->n] = scan->toys;
    self->ln_p[self->n] = scan->ln_p;
    self->z[self->n] = scan->z;
    self->n++;
    return STATUS_OK;
}

static struct scan_record record_of(const struct scorer *self)
{
    struct scan_record record = {.slice = self->last_slice.slice,
                                 .read = self->last_slice.tally.read,
                                 .events = self->last_slice.events};
    slice_scan_answer(self->last, &record);
    return record;
}

static status write_results(const struct scorer *self, const struct scan_record *scan, bool final)
{
    const struct analysis *analysis = &self->analysis;
    const uint32_t members = analysis->training.ensemble;
    uint32_t *classes = malloc(members * sizeof *classes);
    if (classes == NULL)
        return STATUS_NO_MEMORY;
    for (uint32_t m = 0; m < members; m++)
        classes[m] = (uint32_t)composition_classes_of(self->data, m);
    const struct scan_result result = {
        .origin = {.run_id = self->run_id,
                   .log_id = self->log_id,
                   .version = CLUSTERSCAN_VERSION,
                   .analysis = self->analysis_text,
                   .tally = self->last_slice.tally,
                   .final = final},
        .bins = {analysis->spectra.window[0], analysis->spectra.window[1], analysis->spectra.bins},
        .members = members,
        .classes = classes,
        .scan = scan,
        .toy_pull = slice_scan_toy_pulls(self->last),
        .slices = self->history.n,
        .history_events = self->history.events,
        .history_toys = self->history.toys,
        .history_ln_p = self->history.ln_p,
        .history_z = self->history.z};
    const status done = scan_file_write(self->renewal.path, &result);
    free(classes);
    return done;
}

/* After the last slice the final file; before, one to look at while the run goes on. A failed write
 * is tried again later: only the final one must succeed. */
static status renew_results(struct scorer *self, const struct scan_record *scan, bool last)
{
    bool due;
    const status checked = result_renewal_check(&self->renewal, &due);
    if (checked == STATUS_OK && last)
        return write_results(self, scan, true);
    if (checked != STATUS_OK || !due)
        return checked;
    const status done = write_results(self, scan, false);
    return done == STATUS_NO_MEMORY ? done : STATUS_OK;
}

/* All toys of the scan are made. */
static status end_scan(struct scorer *self, struct stage_outlet *outlet)
{
    const bool last = is_last(self);
    slice_scan_destroy(&self->last);
    self->last = self->scan;
    self->scan = NULL;
    self->last_slice = self->waiting[0];
    self->n_waiting--;
    memmove(self->waiting, self->waiting + 1, self->n_waiting * sizeof *self->waiting);
    const struct scan_record record = record_of(self);
    status done = add_history(&self->history, record.read, &record);
    if (done == STATUS_OK)
        done = outlet->emit(outlet, &record);
    if (done == STATUS_OK)
        done = renew_results(self, &record, last);
    return done;
}

status composition_scorer_work(void *state, struct stage_outlet *outlet, bool *more)
{
    struct scorer *self = state;
    *more = false;
    if (self->scan == NULL) {
        const status done = begin_scan(self, more);
        if (done != STATUS_OK || !*more)
            return done;
    }
    *more = true;
    if (slice_scan_work(self->scan))
        return STATUS_OK;
    const status done = end_scan(self, outlet);
    *more = self->n_waiting > 0;
    return done;
}

void composition_scorer_describe(void *state, size_t size, char out[])
{
    const struct scorer *self = state;
    if (self->last == NULL)
        return;
    const struct scan_record scan = record_of(self);
    const unsigned long long slice = self->last_slice.slice + 1, read = scan.read;
    if (scan.windows == 0)
        snprintf(out, size, "slice %llu, %llu events read: too few mass bins hold events to scan",
                 slice, read);
    else if (scan.toys == 0)
        snprintf(out, size, "slice %llu, %llu events read: no toys, so no p-value", slice, read);
    else
        snprintf(out, size, "slice %llu, %llu events read: composition scan p %s %.2g (Z %.2f)%s",
                 slice, read, scan.reached == 0 && !scan.extrapolated ? "<=" : "=", exp(scan.ln_p),
                 scan.z, scan.extrapolated ? ", extrapolated" : "");
}
