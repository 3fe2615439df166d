/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/store/log/segment_images.h"

#include "common/records/image_batch.h"
#include "common/store/log/segment_build.h"
#include "common/store/log/segment_digest.h"

static status build(size_t n, const void *batches, uint8_t **bytes, size_t *size)
{
    return segment_build(n, batches, bytes, size);
}

static status digest(size_t n, const void *batches, uint8_t out[16])
{
    return segment_digest(n, batches, out);
}

static status open_segment(void **out, const char *path)
{
    segment *part = NULL;
    const status outcome = segment_open(&part, path);
    *out = part;
    return outcome;
}

static void close_segment(void **self)
{
    segment *part = *self;
    segment_close(&part);
    *self = NULL;
}

static const void *batches_of(const void *self, size_t *n)
{
    *n = segment_batches(self);
    return segment_all(self);
}

static void account(const void *batches, size_t i, struct segment_account *out)
{
    const struct segment_batch *batch = (const struct segment_batch *)batches + i;
    *out = (struct segment_account){.source = batch->source, .seq = batch->seq};
    tally_add_batch(&out->rows, &batch->images);
}

/* A number of the analysis that the images were made with; 0: it is not known. */
static uint32_t made_with(const json_t *made_from, const char *group, const char *key)
{
    const json_t *block = json_object_get(made_from, group);
    const json_int_t value = json_integer_value(json_object_get(block, key));
    return value > 0 && value <= UINT16_MAX ? (uint32_t)value : 0;
}

static const char *fault(const void *batches, size_t i, const json_t *made_from)
{
    const struct image_batch *images = &((const struct segment_batch *)batches)[i].images;
    const uint32_t side = made_with(made_from, "image", "pixels");
    const uint32_t rows = made_with(made_from, "stream", "batch");
    if (rows > 0 && images->read > rows)
        return "a batch has more rows than a batch may have";
    const char *found = side > 0 ? image_batch_fault(images, side * side) : NULL;
    return found != NULL ? found : image_batch_value_fault(images);
}

const struct segment_codec segment_images = {
    .build = build,
    .digest = digest,
    .open = open_segment,
    .close = close_segment,
    .batches = batches_of,
    .account = account,
    .fault = fault,
};

status segment_images_load(log_folder *folder, size_t i, segment **out, char why[LOG_FOLDER_WHY])
{
    void *part;
    const status outcome = log_folder_load(folder, i, &part, why);
    *out = part;
    return outcome;
}
