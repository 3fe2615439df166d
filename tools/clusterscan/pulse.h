/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pulse: what a heartbeat of a stage process says (common/stage sends it; a foreign stage may send
 * less of it: stage, replica, items and events are enough). */
#ifndef TOOLS_CLUSTERSCAN_PULSE_H
#define TOOLS_CLUSTERSCAN_PULSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PULSE_INPUTS_MAX = 16, PULSE_NAME_SIZE = 40 };

struct pulse {
    char stage[PULSE_NAME_SIZE];
    uint32_t replica;
    bool heard; /* in this life of the process */
    bool finished;
    bool growing; /* a source: more may come */
    uint64_t items;
    uint64_t events;
    uint64_t rows;
    uint64_t read;
    uint64_t counted;
    uint64_t dropped;
    uint64_t refused;                /* messages that it could not take */
    unsigned idle;                   /* percent of its time */
    char waits[16];                  /* while idle: input, output, log, files, disk; "": not said */
    char waits_for[PULSE_NAME_SIZE]; /* the input's stage */
    uint64_t credits;                /* 0: none are counted */
    uint64_t used;
    uint64_t lag; /* of a source */
    size_t n_inputs;
    struct {
        char stage[PULSE_NAME_SIZE];
        uint64_t next; /* item wanted; UINT64_MAX: no more */
    } input[PULSE_INPUTS_MAX];
    char text[200];
};

/* Reads a heartbeat; false if it is none. */
bool pulse_read(struct pulse *out, const char *text);

#endif
