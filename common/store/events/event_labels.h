/* SPDX-License-Identifier: GPL-3.0-or-later */
/* event_labels: which labels of a file mean background and which signal. */
#ifndef COMMON_STORE_EVENTS_EVENT_LABELS_H
#define COMMON_STORE_EVENTS_EVENT_LABELS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* What the labels of a file mean: meaning[label + 128] is 0 (background), 1 (signal) or -1 (not
 * expected). */
struct event_labels {
    int8_t meaning[256];
};
/* 0 is background, 1 signal: what a file has that is not told otherwise. */
void event_labels_usual(struct event_labels *out);
/* From a reader's settings, "labels.background" and "labels.signal"; usual where they are not told.
 */
void event_labels_from_settings(struct event_labels *out, const json_t *settings);
/* "0 or 1", "0 or 1 or 2": those that mean something; cut where it does not fit. */
void event_labels_list(const struct event_labels *self, size_t size, char out[]);

#endif
