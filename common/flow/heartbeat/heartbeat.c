/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/flow/heartbeat/heartbeat.h"

#include <jansson.h>
#include <string.h>

#include "common/base/printable.h"

#define FIELD(key, kind, member, meaning)                                                     \
    {                                                                                         \
        key, kind, offsetof(struct heartbeat, member), sizeof((struct heartbeat *)0)->member, \
            meaning                                                                           \
    }

static const struct heartbeat_field fields[] = {
    FIELD("stage", HEARTBEAT_TEXT, stage, "who; must be there"),
    FIELD("replica", HEARTBEAT_NUMBER, replica, "which copy, from 0; must be there"),
    FIELD("pid", HEARTBEAT_NUMBER, pid, "number of the process"),
    FIELD("finished", HEARTBEAT_FLAG, finished, "all work is done; only serving is left"),
    FIELD("items", HEARTBEAT_NUMBER, items,
          "batches handed out, sealed, or items made since this process began. One more than ever "
          "before counts as progress, and its earlier deaths are forgiven"),
    FIELD("events", HEARTBEAT_NUMBER, events,
          "events in the batches taken in, or handed out by a source"),
    FIELD("refused", HEARTBEAT_NUMBER, refused,
          "messages that failed a check; of a source, its batches that others refused"),
    FIELD("rows", HEARTBEAT_NUMBER, rows, "of a source: its rows in all, so far"),
    FIELD("read", HEARTBEAT_NUMBER, read, "of the log: rows on disk ..."),
    FIELD("counted", HEARTBEAT_NUMBER, counted, "... those of them that are counted ..."),
    FIELD("dropped", HEARTBEAT_NUMBER, dropped, "... and those that are not"),
    FIELD("text", HEARTBEAT_TEXT, text,
          "one line for people, may be empty; shorter than 200 bytes"),
    FIELD("flow.growing", HEARTBEAT_FLAG, growing, "of a source: more may come"),
    FIELD("flow.idle", HEARTBEAT_NUMBER, idle, "per cent of the last half second spent waiting"),
    FIELD("flow.waits", HEARTBEAT_TEXT, waits,
          "for what, when it waits: `input`, `output`, `log`, `files` or `disk`"),
    FIELD("flow.waits_for", HEARTBEAT_TEXT, waits_for, "from which stage, when it waits for input"),
    FIELD("flow.credits", HEARTBEAT_NUMBER, credits,
          "batches that its consumers have room for in all; 0: not counted"),
    FIELD("flow.used", HEARTBEAT_NUMBER, used, "how many of these are on their way"),
    FIELD("flow.lag", HEARTBEAT_NUMBER, lag, "of a source: batches that are not on the log's disk"),
    FIELD("flow.inputs", HEARTBEAT_INPUTS, input,
          "of a feed stage: a list of `stage` of every input and `next`, the item wanted of it, "
          "`null` when there are no more"),
};
enum { FIELDS = sizeof fields / sizeof *fields };

const struct heartbeat_field *heartbeat_fields(size_t *n)
{
    *n = FIELDS;
    return fields;
}

/* The name of a key within its object, which is made if it is not there and make. */
static const char *find_object(json_t *top, const char *key, bool make, json_t **object)
{
    const char *dot = strchr(key, '.');
    *object = top;
    if (dot == NULL)
        return key;
    char outer[16] = "";
    memcpy(outer, key, (size_t)(dot - key));
    *object = json_object_get(top, outer);
    if (*object == NULL && make && json_object_set_new(top, outer, json_object()) == 0)
        *object = json_object_get(top, outer);
    return dot + 1;
}

/* --- packing ----------------------------------------------------------------------------- */

static json_t *pack_inputs(const struct heartbeat *self)
{
    json_t *list = json_array();
    for (size_t i = 0; i < self->n_inputs; i++) {
        const struct heartbeat_input *input = &self->input[i];
        json_t *next =
            input->next == UINT64_MAX ? json_null() : json_integer((json_int_t)input->next);
        json_array_append_new(list, json_pack("{s:s, s:o}", "stage", input->stage, "next", next));
    }
    return list;
}

static json_t *pack_field(const struct heartbeat *self, const struct heartbeat_field *field)
{
    const char *at = (const char *)self + field->offset;
    switch (field->kind) {
    case HEARTBEAT_TEXT:
        return json_string(at);
    case HEARTBEAT_NUMBER:
        return json_integer((json_int_t) * (const uint64_t *)(const void *)at);
    case HEARTBEAT_FLAG:
        return json_boolean(*(const bool *)at);
    case HEARTBEAT_INPUTS:
        return pack_inputs(self);
    }
    return NULL;
}

size_t heartbeat_pack(const struct heartbeat *self, size_t size, char out[])
{
    json_t *top = json_object();
    for (size_t f = 0; f < FIELDS && top != NULL; f++) {
        json_t *object;
        const char *name = find_object(top, fields[f].key, true, &object);
        json_object_set_new(object, name, pack_field(self, &fields[f]));
    }
    const size_t n = top != NULL ? json_dumpb(top, out, size - 1, JSON_COMPACT) : 0;
    json_decref(top);
    if (n == 0 || n >= size)
        return 0;
    out[n] = '\0';
    return n;
}

/* --- parsing ----------------------------------------------------------------------------- */

static uint64_t number_of(const json_t *value)
{
    const json_int_t number = json_integer_value(value);
    return number > 0 ? (uint64_t)number : 0;
}

static void parse_text(const json_t *value, size_t size, char out[])
{
    const char *text = json_string_value(value);
    text_printable(text != NULL ? text : "", size, out);
}

static void parse_inputs(struct heartbeat *out, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list) && i < HEARTBEAT_INPUTS_MAX; i++) {
        const json_t *input = json_array_get(list, i);
        const json_t *next = json_object_get(input, "next");
        parse_text(json_object_get(input, "stage"), sizeof out->input[i].stage,
                   out->input[i].stage);
        out->input[i].next = json_is_null(next) ? UINT64_MAX : number_of(next);
        out->n_inputs = i + 1;
    }
}

static void parse_field(struct heartbeat *out, const struct heartbeat_field *field,
                        const json_t *value)
{
    char *at = (char *)out + field->offset;
    switch (field->kind) {
    case HEARTBEAT_TEXT:
        parse_text(value, field->size, at);
        return;
    case HEARTBEAT_NUMBER:
        *(uint64_t *)(void *)at = number_of(value);
        return;
    case HEARTBEAT_FLAG:
        *(bool *)at = json_is_true(value);
        return;
    case HEARTBEAT_INPUTS:
        parse_inputs(out, value);
        return;
    }
}

bool heartbeat_parse(struct heartbeat *out, const char *text)
{
    *out = (struct heartbeat){0};
    json_t *top = json_loads(text, 0, NULL);
    const bool good = json_is_string(json_object_get(top, "stage")) &&
                      json_is_integer(json_object_get(top, "replica"));
    for (size_t f = 0; f < FIELDS && good; f++) {
        json_t *object;
        const char *name = find_object(top, fields[f].key, false, &object);
        parse_field(out, &fields[f], json_object_get(object, name));
    }
    out->idle = out->idle < 100 ? out->idle : 100;
    json_decref(top);
    return good;
}
