/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/flow/heartbeat/heartbeat_socket.h"

#include <errno.h>
#include <string.h>
#include <zmq.h>

#include "common/base/log.h"

enum { LINGER_MS = 200, QUEUE = 1000, SUBSCRIBED_MS = 1000 };

static void *open_socket(void *zmq, int type)
{
    void *socket = zmq_socket(zmq, type);
    if (socket == NULL)
        return NULL;
    const int linger = LINGER_MS; /* so that the last heartbeat of a process arrives */
    const int queue = QUEUE;
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt(socket, ZMQ_SNDHWM, &queue, sizeof queue);
    zmq_setsockopt(socket, ZMQ_RCVHWM, &queue, sizeof queue);
    const int64_t most = 8 * HEARTBEAT_BYTES_MAX; /* a longer one is cut when it is read */
    zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &most, sizeof most);
    return socket;
}

void *heartbeat_socket_connect(struct flow *flow, const char *endpoint)
{
    void *socket = open_socket(flow->zmq, ZMQ_XPUB);
    if (socket != NULL && zmq_connect(socket, endpoint) != 0)
        heartbeat_socket_close(socket), socket = NULL;
    zmq_pollitem_t subscription = {.socket = socket, .events = ZMQ_POLLIN};
    if (socket != NULL)
        zmq_poll(&subscription, 1, SUBSCRIBED_MS);
    return socket;
}

static void *bind_socket(void *zmq, int type, const char *endpoint)
{
    void *socket = open_socket(zmq, type);
    if (socket != NULL && zmq_bind(socket, endpoint) != 0)
        heartbeat_socket_close(socket), socket = NULL;
    return socket;
}

void *heartbeat_socket_listen(void *zmq, const char *endpoint)
{
    void *socket = bind_socket(zmq, ZMQ_SUB, endpoint);
    if (socket != NULL)
        zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "", 0);
    return socket;
}

void *heartbeat_socket_publish(void *zmq, const char *endpoint)
{
    return bind_socket(zmq, ZMQ_PUB, endpoint);
}

void heartbeat_socket_rebind(void *socket, const char *endpoint)
{
    zmq_unbind(socket, endpoint);
    if (zmq_bind(socket, endpoint) != 0)
        log_warning("heartbeats cannot be heard on %s: %s", endpoint, zmq_strerror(errno));
}

void heartbeat_socket_close(void *socket)
{
    if (socket != NULL)
        zmq_close(socket);
}

void heartbeat_socket_send(void *socket, const char *text)
{
    if (socket != NULL && zmq_send(socket, text, strlen(text), ZMQ_DONTWAIT) < 0)
        return; /* dropped: the next one is newer */
}

bool heartbeat_socket_receive(void *socket, size_t size, char text[])
{
    const int got = zmq_recv(socket, text, size - 1, ZMQ_DONTWAIT);
    if (got < 0)
        return false;
    const size_t n = (size_t)got < size ? (size_t)got : size - 1;
    text[n] = '\0';
    return true;
}
