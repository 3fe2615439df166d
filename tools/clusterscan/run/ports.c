/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/run/ports.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/* Bound without SO_REUSEADDR, so only if no other socket is; SO_REUSEADDR then lets the stage bind
 * it. */
static int hold(uint32_t port)
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)port),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int share = 1;
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &share, sizeof share) == 0)
        return fd;
    close(fd);
    return -1;
}

int ports_hold(uint32_t first, uint32_t last, uint32_t *next, uint32_t *port)
{
    if (*next < first)
        *next = first;
    for (; *next < last; (*next)++) {
        const int fd = hold(*next);
        if (fd < 0)
            continue;
        *port = (*next)++;
        return fd;
    }
    return -1;
}
