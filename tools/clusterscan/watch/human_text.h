/* SPDX-License-Identifier: GPL-3.0-or-later */
/* human_text: counts and times as people read them. */
#ifndef TOOLS_CLUSTERSCAN_WATCH_HUMAN_TEXT_H
#define TOOLS_CLUSTERSCAN_WATCH_HUMAN_TEXT_H

#include <stdint.h>

enum { NUMBER_TEXT_SIZE = 32 };

/* "1,234,567" in out, which is returned. */
const char *number_text(uint64_t value, char out[NUMBER_TEXT_SIZE]);
/* "0:07", "12:34", "3:05:00" (hours) in out, which is returned. */
const char *duration_text(uint64_t seconds, char out[NUMBER_TEXT_SIZE]);

#endif
