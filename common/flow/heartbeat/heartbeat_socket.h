/* SPDX-License-Identifier: GPL-3.0-or-later */
/* heartbeat_socket: the one-way lines of heartbeats: every stage process publishes to the run, and
 * the run publishes what it hears to any number of watchers, which come and go as they like. A
 * heartbeat is one frame of JSON text; a watcher that is slow or absent loses some, no process ever
 * waits for it. */
#ifndef COMMON_FLOW_HEARTBEAT_HEARTBEAT_SOCKET_H
#define COMMON_FLOW_HEARTBEAT_HEARTBEAT_SOCKET_H

#include <stddef.h>

#include "common/flow/heartbeat/heartbeat.h"
#include "common/flow/link/flow.h"

/* A stage's end (XPUB, which a SUB takes for a PUB): connects to the run's endpoint. A publisher
 * drops what it sends before it is subscribed to, so this waits for that, at most a second; NULL on
 * failure. */
void *heartbeat_socket_connect(struct flow *flow, const char *endpoint);
/* The run's two ends in a context zmq: what stages publish arrives at the first (SUB), what is sent
 * to the second (PUB) goes to all watchers. NULL on failure (errno). */
void *heartbeat_socket_listen(void *zmq, const char *endpoint);
void *heartbeat_socket_publish(void *zmq, const char *endpoint);
/* Binds one of these again under the same name, whose socket file has vanished; peers that are
 * connected stay so. */
void heartbeat_socket_rebind(void *socket, const char *endpoint);
void heartbeat_socket_close(void *socket);
/* Sends one heartbeat, or drops it. */
void heartbeat_socket_send(void *socket, const char *text);
/* The next heartbeat without waiting, cut to size - 1 bytes; false if there is none. */
bool heartbeat_socket_receive(void *socket, size_t size, char text[]);

#endif
