/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/topology/schema/key.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Characters of a wrong value that are shown. */
enum { SHOWN_MAX = 60 };

const struct key *key_find(const struct key *keys, const char *path)
{
    for (const struct key *key = keys; key != NULL && key->path != NULL; key++)
        if (strcmp(key->path, path) == 0)
            return key;
    return NULL;
}

json_t *key_default(const struct key *key)
{
    if (key->fallback == NULL || strcmp(key->fallback, "null") == 0)
        return json_null();
    if (key->type == KEY_TEXT || key->type == KEY_CHOICE || key->type == KEY_PATH)
        return json_string(key->fallback);
    json_t *value = json_loads(key->fallback, JSON_DECODE_ANY, NULL);
    json_t *normal = value != NULL ? key_normal(key, value) : NULL;
    json_decref(value);
    return normal;
}

void key_number_text(double value, size_t size, char out[])
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(out, size, "%.*g", digits, value);
        if (strtod(out, NULL) == value)
            return;
    }
}

/* " from 1 to 16 (GeV)", " above 0, at most 10 (GeV)". */
static void describe_range(const struct key *key, size_t size, char out[])
{
    char min[32];
    char max[32];
    key_number_text(key->min, sizeof min, min);
    key_number_text(key->max, sizeof max, max);
    const bool unit = key->unit != NULL && key->unit[0] != '\0';
    snprintf(out, size, key->above_min ? " above %s, at most %s%s%s%s" : " from %s to %s%s%s%s",
             min, max, unit ? " (" : "", unit ? key->unit : "", unit ? ")" : "");
}

/* "ipc" or "tcp". */
static void describe_choices(const char *choices, size_t size, char out[])
{
    size_t n = 0;
    for (const char *c = choices; *c != '\0' && n + 5 < size; c++) {
        if (*c == '|')
            n += (size_t)snprintf(out + n, size - n, " or ");
        else
            out[n++] = *c;
    }
    out[n] = '\0';
}

void key_expect(const struct key *key, size_t size, char out[])
{
    char range[128];
    describe_range(key, sizeof range, range);
    switch (key->type) {
    case KEY_INTEGER:
        if (key->min == key->max)
            key_number_text(key->min, size, out);
        else
            snprintf(out, size, "an integer%s", range);
        return;
    case KEY_NUMBER:
        snprintf(out, size, "a number%s", range);
        return;
    case KEY_BOOLEAN:
        snprintf(out, size, "true or false");
        return;
    case KEY_TEXT:
    case KEY_PATH:
        snprintf(out, size, "a printable %s of 1 to %.0f bytes",
                 key->type == KEY_PATH ? "file name" : "text", key->max);
        return;
    case KEY_CHOICE:
        describe_choices(key->choices, size, out);
        return;
    case KEY_INTERVAL:
        snprintf(out, size, "[lo, hi] with lo < hi, both numbers%s", range);
        return;
    case KEY_ROWS:
        snprintf(out, size, "[first, last] with first <= last, both integers%s", range);
        return;
    case KEY_TEXTS:
        snprintf(out, size, "one or more printable texts of 1 to %.0f bytes", key->max);
        return;
    case KEY_LABELS:
        snprintf(out, size, "one or more integers%s", range);
        return;
    case KEY_WORDS:
        snprintf(out, size, "a printable text of 1 to %.0f bytes, or a list of such words",
                 key->max);
        return;
    case KEY_BLOCK:
        snprintf(out, size, "a mapping");
        return;
    }
}

/* The list itself if it is short. */
static void describe_list(const json_t *value, size_t size, char out[])
{
    char *text = json_dumps(value, JSON_REAL_PRECISION(15));
    if (text != NULL && strlen(text) <= SHOWN_MAX)
        snprintf(out, size, "%s", text);
    else
        snprintf(out, size, "a list of %zu", json_array_size(value));
    free(text);
}

void key_describe(const json_t *value, size_t size, char out[])
{
    if (json_is_object(value)) {
        snprintf(out, size, "a mapping");
    } else if (json_is_array(value)) {
        describe_list(value, size, out);
    } else if (json_is_string(value)) {
        const char *text = json_string_value(value);
        const bool cut = strlen(text) > SHOWN_MAX;
        snprintf(out, size, "the text \"%.*s%s\"", SHOWN_MAX, text, cut ? "..." : "");
    } else if (json_is_real(value)) {
        const double number = json_real_value(value);
        char text[32];
        key_number_text(number, sizeof text, text);
        /* Prints 512.0 with its point where the mistake is that it is no integer. */
        snprintf(out, size, "%s%s", text, strpbrk(text, ".e") == NULL ? ".0" : "");
    } else if (json_is_integer(value)) {
        snprintf(out, size, "%lld", (long long)json_integer_value(value));
    } else {
        snprintf(out, size, json_is_null(value) ? "empty" : json_is_true(value) ? "true" : "false");
    }
}

static bool number_fits(const struct key *key, const json_t *value)
{
    if (!json_is_number(value))
        return false;
    const double number = json_number_value(value);
    return isfinite(number) && number <= key->max &&
           (key->above_min ? number > key->min : number >= key->min);
}

static bool text_fits(const struct key *key, const json_t *value)
{
    if (!json_is_string(value))
        return false;
    const char *text = json_string_value(value);
    const size_t length = json_string_length(value);
    if ((double)length < key->min || (double)length > key->max)
        return false;
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return false;
    return true;
}

/* Index of the text among `a|b|c`, -1 if it is none of them. */
static int choice_index(const char *choices, const char *text)
{
    const size_t length = strlen(text);
    int index = 0;
    for (const char *c = choices; c != NULL; index++) {
        const char *end = strchr(c, '|');
        const size_t n = end != NULL ? (size_t)(end - c) : strlen(c);
        if (n == length && memcmp(c, text, n) == 0)
            return index;
        c = end != NULL ? end + 1 : NULL;
    }
    return -1;
}

static bool pair_fits(const struct key *key, const json_t *value, int *element)
{
    if (json_array_size(value) != 2) /* 0 if it is no list */
        return false;
    for (size_t i = 0; i < 2; i++) {
        const json_t *end = json_array_get(value, i);
        if (!number_fits(key, end) || (key->type == KEY_ROWS && !json_is_integer(end))) {
            *element = (int)i;
            return false;
        }
    }
    const double lo = json_number_value(json_array_get(value, 0));
    const double hi = json_number_value(json_array_get(value, 1));
    return key->type == KEY_ROWS ? lo <= hi : lo < hi;
}

static bool texts_fit(const struct key *key, const json_t *value, int *element)
{
    if (json_is_string(value))
        return text_fits(key, value);
    for (size_t i = 0; i < json_array_size(value); i++) {
        if (!text_fits(key, json_array_get(value, i))) {
            *element = (int)i;
            return false;
        }
    }
    return json_array_size(value) > 0;
}

static bool labels_fit(const struct key *key, const json_t *value, int *element)
{
    if (json_is_integer(value))
        return number_fits(key, value);
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *label = json_array_get(value, i);
        if (!json_is_integer(label) || !number_fits(key, label)) {
            *element = (int)i;
            return false;
        }
    }
    return json_array_size(value) > 0;
}

bool key_fits(const struct key *key, const json_t *value, int *element)
{
    *element = -1;
    if (json_is_null(value))
        return key->fallback != NULL && strcmp(key->fallback, "null") == 0;
    switch (key->type) {
    case KEY_INTEGER:
        return json_is_integer(value) && number_fits(key, value);
    case KEY_NUMBER:
        return number_fits(key, value);
    case KEY_BOOLEAN:
        return json_is_boolean(value);
    case KEY_TEXT:
    case KEY_PATH:
        return text_fits(key, value);
    case KEY_CHOICE:
        return json_is_string(value) && choice_index(key->choices, json_string_value(value)) >= 0;
    case KEY_INTERVAL:
    case KEY_ROWS:
        return pair_fits(key, value, element);
    case KEY_TEXTS:
    case KEY_WORDS:
        return texts_fit(key, value, element);
    case KEY_LABELS:
        return labels_fit(key, value, element);
    case KEY_BLOCK:
        return json_is_object(value);
    }
    return false;
}

/* Adding 0 turns -0 into 0: one value, one text, one id. */
static json_t *normal_real(const json_t *value)
{
    return json_real(json_number_value(value) + 0.0);
}

json_t *key_normal(const struct key *key, json_t *value)
{
    if (json_is_null(value))
        return json_null();
    if (key->type == KEY_NUMBER)
        return normal_real(value);
    if (key->type == KEY_INTERVAL)
        return json_pack("[o, o]", normal_real(json_array_get(value, 0)),
                         normal_real(json_array_get(value, 1)));
    if ((key->type == KEY_TEXTS && json_is_string(value)) ||
        (key->type == KEY_LABELS && json_is_integer(value)))
        return json_pack("[O]", value);
    return json_incref(value);
}

void key_store(const struct key *key, const json_t *value, struct analysis *analysis)
{
    assert(key->size > 0);
    char *member = (char *)analysis + key->offset;
    if (key->type == KEY_INTERVAL) {
        const double ends[2] = {json_number_value(json_array_get(value, 0)),
                                json_number_value(json_array_get(value, 1))};
        assert(key->size == sizeof ends);
        memcpy(member, ends, sizeof ends);
    } else if (key->type == KEY_NUMBER) {
        const double number = json_number_value(value);
        assert(key->size == sizeof number);
        memcpy(member, &number, sizeof number);
    } else if (key->type == KEY_INTEGER && key->size == sizeof(uint64_t)) {
        const uint64_t number = (uint64_t)json_integer_value(value);
        memcpy(member, &number, sizeof number);
    } else {
        assert(key->size == sizeof(uint32_t)); /* as large as an enum */
        const uint32_t number = key->type == KEY_CHOICE
                                    ? (uint32_t)choice_index(key->choices, json_string_value(value))
                                    : (uint32_t)json_integer_value(value);
        memcpy(member, &number, sizeof number);
    }
}

/* Choice `index` of `a|b|c` as JSON. */
static json_t *choice_text(const char *choices, uint32_t index)
{
    const char *c = choices;
    for (; index > 0; index--)
        c = strchr(c, '|') + 1;
    return json_stringn(c, strcspn(c, "|"));
}

json_t *key_fetch(const struct key *key, const struct analysis *analysis)
{
    if (key->size == 0)
        return key_default(key);
    const char *member = (const char *)analysis + key->offset;
    if (key->type == KEY_INTERVAL) {
        double ends[2];
        memcpy(ends, member, sizeof ends);
        return json_pack("[f, f]", ends[0], ends[1]);
    }
    if (key->type == KEY_NUMBER) {
        double number;
        memcpy(&number, member, sizeof number);
        return json_real(number);
    }
    if (key->size == sizeof(uint64_t)) {
        uint64_t number;
        memcpy(&number, member, sizeof number);
        return json_integer((json_int_t)number);
    }
    uint32_t number;
    memcpy(&number, member, sizeof number);
    return key->type == KEY_CHOICE ? choice_text(key->choices, number) : json_integer(number);
}
