/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/pulse.h"

#include <jansson.h>
#include <stdio.h>

#include "common/log/printable.h"

static uint64_t number(const json_t *object, const char *key)
{
    const json_int_t value = json_integer_value(json_object_get(object, key));
    return value > 0 ? (uint64_t)value : 0;
}

static void copy_text(const json_t *object, const char *key, size_t size, char out[])
{
    const char *text = json_string_value(json_object_get(object, key));
    text_printable(text != NULL ? text : "", size, out);
}

static void read_flow(struct pulse *out, const json_t *flow)
{
    out->growing = json_is_true(json_object_get(flow, "growing"));
    out->idle = (unsigned)number(flow, "idle");
    out->idle = out->idle < 100 ? out->idle : 100;
    copy_text(flow, "waits", sizeof out->waits, out->waits);
    copy_text(flow, "waits_for", sizeof out->waits_for, out->waits_for);
    out->credits = number(flow, "credits");
    out->used = number(flow, "used");
    out->lag = number(flow, "lag");
    const json_t *inputs = json_object_get(flow, "inputs");
    for (size_t i = 0; i < json_array_size(inputs) && i < PULSE_INPUTS_MAX; i++) {
        const json_t *input = json_array_get(inputs, i);
        copy_text(input, "stage", sizeof out->input[i].stage, out->input[i].stage);
        const bool ended = json_is_null(json_object_get(input, "next"));
        out->input[i].next = ended ? UINT64_MAX : number(input, "next");
        out->n_inputs = i + 1;
    }
}

bool pulse_read(struct pulse *out, const char *text)
{
    *out = (struct pulse){.heard = true};
    json_t *object = json_loads(text, 0, NULL);
    const bool good = json_is_string(json_object_get(object, "stage")) &&
                      json_is_integer(json_object_get(object, "replica"));
    if (good) {
        copy_text(object, "stage", sizeof out->stage, out->stage);
        out->replica = (uint32_t)number(object, "replica");
        out->finished = json_is_true(json_object_get(object, "finished"));
        out->items = number(object, "items");
        out->events = number(object, "events");
        out->rows = number(object, "rows");
        out->read = number(object, "read");
        out->counted = number(object, "counted");
        out->dropped = number(object, "dropped");
        out->refused = number(object, "refused");
        copy_text(object, "text", sizeof out->text, out->text);
        read_flow(out, json_object_get(object, "flow"));
    }
    json_decref(object);
    return good;
}
