/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stages/image_log/image_log.h"

#include <assert.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "stages/image_log/segment_cache.h"
#include "stages/image_log/source_ends.h"
#include "stages/image_log/unsealed.h"

enum { HEAP_PIECE_MAX = 1 << 20 }; /* bytes */

struct image_log {
    log_folder *folder;
    unsealed *unsealed; /* NULL in a replay */
    source_ends *ends;
    segment_cache *cache;
    uint32_t segment; /* batches */
    uint64_t seal_after_ms;
    uint32_t sources;
    bool in_proportion; /* the lengths of the sources are to be noted before anything is sealed */
    uint64_t ready_since_ms; /* when the oldest batch that could be sealed came; 0: there is none */
    uint64_t retry_ms;       /* not before this after the disk was full */
    bool full;
    uint8_t *bitmap;
    size_t bitmap_size;
};

void image_log_destroy(void **state)
{
    struct image_log *self = *state;
    if (self == NULL)
        return;
    segment_cache_destroy(&self->cache);
    unsealed_destroy(&self->unsealed);
    source_ends_destroy(&self->ends);
    log_folder_close(&self->folder);
    free(self->bitmap);
    free(self);
    *state = NULL;
}

/* The header of the log, which a replay compares with its analysis. */
static status open_folder(struct image_log *self, const struct stage_setup *setup)
{
    json_t *made_from = analysis_of_images(&setup->analysis);
    char *header = json_dumps(made_from, JSON_COMPACT | JSON_REAL_PRECISION(17));
    json_decref(made_from);
    if (header == NULL)
        return STATUS_NO_MEMORY;
    const status done = log_folder_open(&self->folder, &segment_images, setup->folder,
                                        setup->log_id, setup->sources, header);
    free(header);
    return done;
}

/* Goes on behind the batches on disk. */
static void start_unsealed(struct image_log *self)
{
    unsealed_clear(self->unsealed);
    for (uint32_t s = 0; s < self->sources; s++)
        unsealed_start(self->unsealed, s, log_folder_next_seq(self->folder, s));
    self->ready_since_ms = 0;
}

static enum unsealed_order order_of(const struct stage_setup *setup)
{
    const char *order = json_string_value(json_object_get(setup->settings, "order"));
    return order != NULL && strcmp(order, "proportional") == 0 ? UNSEALED_PROPORTIONAL
                                                               : UNSEALED_ROUNDS;
}

static status open_to_write(struct image_log *self, const struct stage_setup *setup)
{
    status done = open_folder(self, setup);
    if (done == STATUS_OK)
        done = unsealed_create(&self->unsealed, setup->sources, setup->window, order_of(setup));
    if (done != STATUS_OK)
        return done;
    start_unsealed(self);
    if (log_folder_places(self->folder) > 0)
        log_info("%llu batches are in %s already",
                 (unsigned long long)log_folder_places(self->folder),
                 log_folder_name(self->folder));
    return STATUS_OK;
}

static status open_to_replay(struct image_log *self, const struct stage_setup *setup)
{
    const status done = log_folder_read(&self->folder, &segment_images, setup->folder);
    if (done != STATUS_OK)
        return done;
    if (strcmp(log_folder_log_id(self->folder), setup->log_id) == 0 &&
        log_folder_sources(self->folder) == setup->sources && log_folder_complete(self->folder))
        return log_folder_count(self->folder);
    log_error("%s has become another log since the replay was started", setup->folder);
    return STATUS_BAD_INPUT;
}

static status open_parts(struct image_log *self, const struct stage_setup *setup)
{
    status done = setup->n_inputs > 0 ? open_to_write(self, setup) : open_to_replay(self, setup);
    if (done == STATUS_OK)
        done = segment_cache_create(&self->cache, self->folder);
    return done;
}

/* Segments come and go by megabytes, each of another size. In maps of their own they leave no holes
 * behind; by default malloc would take them into its heap, which then grows for as long as the
 * stream goes on. */
static void keep_heap_whole(void)
{
    mallopt(M_MMAP_THRESHOLD, HEAP_PIECE_MAX);
}

status image_log_create(void **out, const struct stage_setup *setup)
{
    keep_heap_whole();
    struct image_log *self = calloc(1, sizeof *self);
    *out = self;
    if (self == NULL)
        return STATUS_NO_MEMORY;
    const json_t *settings = setup->settings;
    self->segment = (uint32_t)json_integer_value(json_object_get(settings, "segment"));
    self->in_proportion = order_of(setup) == UNSEALED_PROPORTIONAL;
    self->seal_after_ms =
        (uint64_t)(1000 * json_number_value(json_object_get(settings, "seal_after")));
    self->sources = setup->sources;
    self->bitmap_size = setup->window / 8 + 1;
    self->bitmap = calloc(1, self->bitmap_size);
    if (self->bitmap == NULL)
        return STATUS_NO_MEMORY;
    const status done = source_ends_create(&self->ends, setup);
    return done == STATUS_OK ? open_parts(self, setup) : done;
}

/* A batch must be of just the rows that its reader handed out, and account for every one. */
const char *image_log_fault(void *state, const struct stage_item *item,
                            const struct stage_rows *rows)
{
    const struct image_batch *images = &item->record->images;
    (void)state;
    const char *fault = image_batch_account_fault(images);
    if (fault == NULL)
        fault = image_batch_value_fault(images);
    if (fault == NULL && images->quarantined > 0)
        fault = "a worker cannot quarantine rows: only their reader gives them up";
    if (fault == NULL && rows != NULL &&
        (rows->first != images->first_row || rows->n != images->read))
        fault = "it tells of other rows than its reader handed out";
    return fault;
}

static status take(struct image_log *self, uint32_t source, uint64_t seq,
                   const struct image_batch *images)
{
    const status done = unsealed_add(self->unsealed, source, seq, images);
    if (done == STATUS_END)
        log_warning("refused batch %llu of source %u: it is beyond the window",
                    (unsigned long long)seq, source);
    return done;
}

status image_log_process(void *state, const struct stage_item *item)
{
    return take(state, item->header->source, item->header->seq, &item->record->images);
}

/* The batch keeps its place, without events, with all of its rows quarantined. */
status image_log_give_up(void *state, uint32_t source, uint64_t seq, const struct stage_rows *rows)
{
    static const uint32_t dropped[DROP_REASONS];
    static const uint32_t offset[1];
    const struct image_batch images = {.first_row = rows->first,
                                       .read = rows->n,
                                       .quarantined = rows->n,
                                       .dropped = dropped,
                                       .offset = offset};
    return take(state, source, seq, &images);
}

void image_log_source_end(void *state, uint32_t source, uint64_t batches, uint64_t rows)
{
    struct image_log *self = state;
    if (source_ends_fit(self->ends, source, batches, rows))
        unsealed_end(self->unsealed, source, batches, rows);
}

void image_log_state(void *state, uint32_t source, struct control_durable *out)
{
    struct image_log *self = state;
    out->epoch = log_folder_epoch(self->folder);
    out->watermark = log_folder_next_seq(self->folder, source);
    memset(self->bitmap, 0, self->bitmap_size);
    unsealed_bitmap(self->unsealed, source, self->bitmap_size, self->bitmap);
    out->bitmap = (struct wire_bytes){self->bitmap, self->bitmap_size};
}

/* The disk is full: nothing is lost, nothing new is let in, and it is tried again. */
static status wait_for_room(struct image_log *self)
{
    if (!self->full)
        log_error("no space left in %s: waiting for room", log_folder_name(self->folder));
    self->full = true;
    self->retry_ms = clock_ms() + 2000;
    return STATUS_OK;
}

/* Something was written: batches may come again. */
static void note_room(struct image_log *self)
{
    if (self->full)
        log_info("there is space again in %s", log_folder_name(self->folder));
    self->full = false;
}

static status seal_one(struct image_log *self, size_t n)
{
    struct segment_batch *batches = unsealed_ready(self->unsealed, n);
    const status done = log_folder_seal(self->folder, n, batches);
    if (done == STATUS_NO_SPACE)
        return wait_for_room(self);
    if (done != STATUS_OK)
        return done;
    note_room(self);
    unsealed_drop(self->unsealed, n);
    self->ready_since_ms = 0;
    return STATUS_OK;
}

/* How many of the ready batches are to be sealed now. */
static size_t due(struct image_log *self, bool all)
{
    const size_t ready = unsealed_count_ready(self->unsealed);
    const uint64_t now = clock_ms();
    if (ready == 0 || (self->full && now < self->retry_ms))
        return 0;
    if (self->ready_since_ms == 0)
        self->ready_since_ms = now;
    if (ready >= self->segment)
        return self->segment;
    const bool old = now - self->ready_since_ms >= self->seal_after_ms;
    return all || old || unsealed_all_ready(self->unsealed) ? ready : 0;
}

/* Every row that was read must be on disk once a source has ended. */
static status check_rows(const struct image_log *self)
{
    for (uint32_t s = 0; s < self->sources; s++) {
        const struct unsealed_extent end = unsealed_extent(self->unsealed, s);
        const uint64_t sealed = log_folder_next_seq(self->folder, s);
        const uint64_t rows = log_folder_rows(self->folder, s);
        if (sealed == end.batches && rows == end.rows)
            continue;
        log_error("%s holds %llu batches with %llu rows of source %u, but its reader has %llu with "
                  "%llu: it belongs to another input",
                  log_folder_name(self->folder), (unsigned long long)sealed,
                  (unsigned long long)rows, s, (unsigned long long)end.batches,
                  (unsigned long long)end.rows);
        return STATUS_BAD_INPUT;
    }
    return STATUS_OK;
}

bool image_log_complete(void *state)
{
    const struct image_log *self = state;
    return log_folder_complete(self->folder) &&
           (self->unsealed == NULL || unsealed_all_ready(self->unsealed));
}

/* All sources have ended and all batches are on disk: the folder is marked as complete. */
static status finish_folder(struct image_log *self)
{
    if (self->full && clock_ms() < self->retry_ms)
        return STATUS_OK;
    status done = check_rows(self);
    if (done == STATUS_OK)
        done = log_folder_finish(self->folder);
    if (done == STATUS_NO_SPACE)
        return wait_for_room(self);
    note_room(self);
    return done;
}

/* The lengths of the sources, which the log's order was made from, must stay what they were. */
static status compare_extents(const struct image_log *self, const uint64_t noted[])
{
    for (uint32_t s = 0; s < self->sources; s++) {
        const uint64_t batches = unsealed_extent(self->unsealed, s).batches;
        if (batches == noted[s])
            continue;
        log_error("%s was ordered for %llu batches of source %u, but its reader has %llu: it "
                  "belongs to another input",
                  log_folder_name(self->folder), (unsigned long long)noted[s], s,
                  (unsigned long long)batches);
        return STATUS_BAD_INPUT;
    }
    return STATUS_OK;
}

/* Notes those lengths once they are known, before the first batch has its place for good. */
static status settle_order(struct image_log *self)
{
    if (!self->in_proportion || !unsealed_ends_known(self->unsealed) ||
        (self->full && clock_ms() < self->retry_ms))
        return STATUS_OK;
    const uint64_t *noted = log_folder_extents(self->folder);
    if (noted != NULL) {
        self->in_proportion = false;
        return compare_extents(self, noted);
    }
    uint64_t *batches = calloc(self->sources, sizeof *batches);
    if (batches == NULL)
        return STATUS_NO_MEMORY;
    for (uint32_t s = 0; s < self->sources; s++)
        batches[s] = unsealed_extent(self->unsealed, s).batches;
    const status done = log_folder_note_extents(self->folder, batches);
    free(batches);
    if (done == STATUS_NO_SPACE)
        return wait_for_room(self);
    self->in_proportion = done != STATUS_OK;
    note_room(self);
    return done;
}

status image_log_seal(void *state, bool all, uint64_t *sealed, bool *room)
{
    struct image_log *self = state;
    *sealed = log_folder_places(self->folder);
    *room = false;
    if (self->unsealed == NULL)
        return STATUS_OK;
    status done = settle_order(self);
    size_t n;
    while (done == STATUS_OK && !self->in_proportion && (n = due(self, all)) > 0)
        done = seal_one(self, n);
    if (done == STATUS_OK && unsealed_all_ready(self->unsealed) &&
        unsealed_count_ready(self->unsealed) == 0)
        done = finish_folder(self);
    *sealed = log_folder_places(self->folder);
    *room = !self->full;
    return done;
}

void image_log_tally(void *state, struct tally *out)
{
    const struct image_log *self = state;
    *out = log_folder_tally(self->folder);
}

/* A segment is missing or damaged: a replay has nothing else to read; otherwise the sources can
 * send its batches again, and those of the segments after it. */
static status give_up_segment(struct image_log *self)
{
    const char *why;
    const size_t lost = segment_cache_fault(self->cache, &why);
    if (self->unsealed == NULL) {
        char path[4096];
        log_folder_path(self->folder, lost, sizeof path, path);
        log_error("%s %s; a replay has no source to read it from again", path, why);
        return STATUS_BAD_INPUT;
    }
    const status done = log_folder_cut(self->folder, lost, why);
    if (done == STATUS_NO_SPACE)
        return wait_for_room(self);
    if (done != STATUS_OK)
        return done;
    note_room(self);
    segment_cache_forget(self->cache, lost);
    start_unsealed(self);
    return STATUS_OK;
}

status image_log_item(void *state, uint64_t place, const double mass[2], union record *out,
                      uint32_t *source)
{
    struct image_log *self = state;
    if (place >= log_folder_places(self->folder))
        return STATUS_END;
    status got = segment_cache_get_filtered(self->cache, place, mass, &out->images, source);
    if (got != STATUS_BAD_SHAPE)
        return got;
    got = give_up_segment(self);
    return got == STATUS_OK ? STATUS_END : got;
}

void image_log_describe(void *state, size_t size, char out[])
{
    const struct image_log *self = state;
    if (self->unsealed == NULL) {
        snprintf(out, size, "replays %llu batches",
                 (unsigned long long)log_folder_places(self->folder));
        return;
    }
    snprintf(out, size, "%llu batches on disk, %zu waiting%s",
             (unsigned long long)log_folder_places(self->folder), unsealed_count(self->unsealed),
             self->full ? ", no space left" : "");
}
