/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/store/events/masterkey.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/records/event_batch.h"
#include "common/store/disk/hdf5_util.h"

/* Some editors put it in front of a text. */
static const char byte_order_mark[] = "\xef\xbb\xbf";

/* A small integer in any spelling of the number; false for anything else. */
static bool label_of(const char *line, int8_t *out)
{
    char *end;
    const double value = strtod(line, &end);
    const double whole = round(value);
    while (isspace((unsigned char)*end))
        end++;
    if (end == line || *end != '\0' || !(fabs(value - whole) <= EVENT_LABEL_WITHIN) ||
        whole < INT8_MIN || whole > INT8_MAX)
        return false;
    *out = (int8_t)whole;
    return true;
}

static bool is_blank(const char *line)
{
    return line[strspn(line, " \t\r\n")] == '\0';
}

static status read_lines(FILE *file, const char *path, uint64_t events, int8_t labels[])
{
    char *line = NULL;
    size_t room = 0;
    uint64_t n = 0;
    status outcome = STATUS_OK;
    while (outcome == STATUS_OK && getline(&line, &room, file) >= 0) {
        const char *text = line + (n == 0 && strncmp(line, byte_order_mark, 3) == 0 ? 3 : 0);
        if (is_blank(text))
            continue; /* such as after the last one */
        int8_t label;
        if (!label_of(text, &label)) {
            log_error("%s: label %" PRIu64 " is '%.*s', expected an integer from %d to %d", path,
                      n + 1, (int)strcspn(text, "\r\n"), text, INT8_MIN, INT8_MAX);
            outcome = STATUS_BAD_INPUT;
        } else if (n < events) {
            labels[n] = label;
        }
        n++;
    }
    free(line);
    if (outcome == STATUS_OK && n != events) {
        log_error("%s: holds %" PRIu64 " labels, expected %" PRIu64 ", one for every event", path,
                  n, events);
        outcome = STATUS_BAD_INPUT;
    }
    return outcome;
}

status masterkey_read(const char *path, uint64_t events, int8_t **labels)
{
    *labels = NULL;
    const status regular = hdf5_check_regular(path, "a text file with a label a line");
    if (regular != STATUS_OK)
        return regular;
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        log_error("%s: cannot be opened: %s", path, strerror(errno));
        return STATUS_BAD_INPUT;
    }
    int8_t *read = malloc((size_t)events + 1);
    const status outcome = read != NULL ? read_lines(file, path, events, read) : STATUS_NO_MEMORY;
    fclose(file);
    if (outcome == STATUS_OK)
        *labels = read;
    else
        free(read);
    return outcome;
}
