/* SPDX-License-Identifier: GPL-3.0-or-later */
/* monitor: the one-way line from every stage process to whoever watches the run. A heartbeat is one
 * frame of JSON text; a watcher that is slow or absent loses some, nobody waits for it. */
#ifndef COMMON_FLOW_MONITOR_H
#define COMMON_FLOW_MONITOR_H

#include <stddef.h>

#include "common/flow/link.h"

/* A heartbeat is shorter than this. */
enum { MONITOR_TEXT_MAX = 8192 };

/* Connects a stage to the watcher's endpoint; NULL on failure. */
void *monitor_connect(struct flow *flow, const char *endpoint);
/* Binds the watcher's end in a context of its own making; NULL on failure (errno). */
void *monitor_bind(void *zmq, const char *endpoint);
/* Binds again under the same name, whose socket file has vanished; what was sent meanwhile arrives.
 */
void monitor_rebind(void *socket, const char *endpoint);
void monitor_close(void *socket);
/* Sends one heartbeat, or drops it. */
void monitor_send(void *socket, const char *text);
/* The next heartbeat without waiting, cut to size - 1 bytes; false if there is none. */
bool monitor_receive(void *socket, size_t size, char text[]);

#endif
