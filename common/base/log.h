/* SPDX-License-Identifier: GPL-3.0-or-later */
/* log: one line per event worth reporting, on standard error.
 * A line is `level: [name] text`; it is written with one write(2), so lines of
 * several processes sharing a pipe do not mix. */
#ifndef COMMON_BASE_LOG_H
#define COMMON_BASE_LOG_H

enum log_level { LOG_ERROR = 0, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/* The name that stands in every line (borrowed for the life of the process; NULL
 * for none) and the least important level that is still written. */
void log_init(const char *name, enum log_level level);

/* Writes one line; longer than 1,000 bytes is cut; control characters and
 * bytes that are no UTF-8 become \xNN (printable.h). Keeps errno. */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)   log_line(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_info(...)    log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...)   log_line(LOG_DEBUG, __VA_ARGS__)

#endif
