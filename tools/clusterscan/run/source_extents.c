/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/run/source_extents.h"

#include <stdint.h>

#include "tools/clusterscan/run/input_files.h"

/* Rows of the files of one source, within settings.rows. */
static json_t *extent_of(const struct topology_stage *stage, const json_t *contents, uint32_t batch)
{
    const json_t *rows = json_object_get(stage->settings, "rows");
    const bool some = json_array_size(rows) == 2;
    const json_int_t from = some ? json_integer_value(json_array_get(rows, 0)) : 0;
    const json_int_t to = some ? json_integer_value(json_array_get(rows, 1)) : INT64_MAX;
    json_int_t first = 0, batches = 0, wanted = 0;
    for (size_t i = 0; i < json_array_size(contents); i++) {
        const json_t *file = json_array_get(contents, i);
        const json_int_t last = first + json_integer_value(json_object_get(file, "events"));
        const json_int_t begin = from > first ? from : first, end = to < last ? to : last;
        const json_int_t n = end > begin ? end - begin : 0;
        batches += (n + batch - 1) / batch;
        wanted += n;
        first = last;
    }
    return json_pack("[I, I]", batches, wanted);
}

json_t *source_extents(const topology *flow, size_t k, json_t *const contents[])
{
    json_t *list = json_array();
    for (size_t s = 0; s < topology_n_stages(flow); s++) {
        const struct topology_stage *stage = topology_stage(flow, s);
        if (stage->role != ROLE_SOURCE || topology_log_of(flow, s) != k)
            continue;
        json_t *extent = json_null();
        if (stage->ours && input_files_followed(stage))
            extent = json_string("journal");
        else if (contents[s] != NULL)
            extent = extent_of(stage, contents[s], topology_analysis(flow)->stream.batch);
        if (json_array_append_new(list, extent) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}
