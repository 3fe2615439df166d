/* SPDX-License-Identifier: GPL-3.0-or-later */
/* echo_source: a source without numbers that has a server of its own in the loop: whoever connects
 * to the socket settings.socket gets back every byte that it sends. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/pipeline/numbers.h"

enum { CLIENTS_MAX = 8 };

struct server {
    int listening;
    size_t n;
    int client[CLIENTS_MAX];
};

static status create(void **out, const struct stage_setup *setup)
{
    struct server *self = calloc(1, sizeof *self);
    *out = self;
    if (self == NULL)
        return STATUS_NO_MEMORY;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, json_string_value(json_object_get(setup->settings, "socket")),
            sizeof address.sun_path - 1);
    self->listening = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const bool there = bind(self->listening, (struct sockaddr *)&address, sizeof address) == 0 &&
                       listen(self->listening, CLIENTS_MAX) == 0;
    return there ? STATUS_OK : STATUS_IO;
}

static void destroy(void **state)
{
    struct server *self = *state;
    for (size_t i = 0; self != NULL && i < self->n; i++)
        close(self->client[i]);
    if (self != NULL)
        close(self->listening);
    free(self);
    *state = NULL;
}

static size_t wanted(void *state, struct stage_descriptor watch[], long *wait_ms)
{
    const struct server *self = state;
    (void)wait_ms;
    for (size_t i = 0; i < self->n; i++)
        watch[i] = (struct stage_descriptor){self->client[i], POLLIN};
    watch[self->n] = (struct stage_descriptor){self->listening, POLLIN};
    return self->n + 1;
}

static status serve(void *state)
{
    struct server *self = state;
    const int added =
        self->n < CLIENTS_MAX ? accept4(self->listening, NULL, NULL, SOCK_NONBLOCK) : -1;
    if (added >= 0)
        self->client[self->n++] = added;
    for (size_t i = 0; i < self->n; i++) {
        char bytes[256];
        const ssize_t n = read(self->client[i], bytes, sizeof bytes);
        if (n > 0 && write(self->client[i], bytes, (size_t)n) != n)
            return STATUS_IO;
        if (n == 0) {
            close(self->client[i]);
            self->client[i--] = self->client[--self->n];
        }
    }
    return STATUS_OK;
}

static void extent(void *state, uint64_t *batches, uint64_t *rows)
{
    (void)state;
    *batches = *rows = 0;
}

static status read_batch(void *state, uint64_t seq, union record *out, struct stage_rows *rows)
{
    (void)state, (void)seq, (void)out, (void)rows;
    return STATUS_BAD_INPUT; /* there is none */
}

int main(int argc, char **argv)
{
    static const struct stage_source source = {.extent = extent, .read = read_batch};
    static const struct stage_descriptors descriptors = {.wanted = wanted, .serve = serve};
    static const struct stage echo = {.name = "echo_source",
                                      .help = "Gives back what clients send.",
                                      .output = (enum message_type)NUMBERS,
                                      .create = create,
                                      .destroy = destroy,
                                      .descriptors = &descriptors,
                                      .source = &source};
    numbers_add_schemas();
    return stage_main(&echo, argc, argv);
}
