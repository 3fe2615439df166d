/* SPDX-License-Identifier: GPL-3.0-or-later */
/* heartbeat_socket: the one-way line from every stage process to whoever watches the run. A
 * heartbeat is one frame of JSON text; a watcher that is slow or absent loses some, nobody waits
 * for it. */
#ifndef COMMON_FLOW_HEARTBEAT_HEARTBEAT_SOCKET_H
#define COMMON_FLOW_HEARTBEAT_HEARTBEAT_SOCKET_H

#include <stddef.h>

#include "common/flow/heartbeat/heartbeat.h"
#include "common/flow/link/link.h"

/* Connects a stage to the watcher's endpoint; NULL on failure. */
void *heartbeat_socket_connect(struct flow *flow, const char *endpoint);
/* Binds the watcher's end in a context of its own making; NULL on failure (errno). */
void *heartbeat_socket_bind(void *zmq, const char *endpoint);
/* Binds again under the same name, whose socket file has vanished; what was sent meanwhile arrives.
 */
void heartbeat_socket_rebind(void *socket, const char *endpoint);
void heartbeat_socket_close(void *socket);
/* Sends one heartbeat, or drops it. */
void heartbeat_socket_send(void *socket, const char *text);
/* The next heartbeat without waiting, cut to size - 1 bytes; false if there is none. */
bool heartbeat_socket_receive(void *socket, size_t size, char text[]);

#endif
