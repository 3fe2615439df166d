/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ports of 127.0.0.1 that are held for stages. */
#include "tools/clusterscan/run/ports.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/check_main.h"

/* A range that no program of this test's own uses; another one may have some of them. */
enum { FIRST = 24100, LAST = 24110, ROOM = LAST - FIRST };

/* Binds the port as a stage does (libzmq sets SO_REUSEADDR), or as a stranger; the descriptor, or
 * -1. */
static int bind_port(uint32_t port, int share)
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)port),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &share, sizeof share), 0);
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Holds all ports of the range that are free; returns how many. */
static size_t hold_all(int held[ROOM], uint32_t port[ROOM])
{
    uint32_t next = 0;
    for (size_t n = 0;; n++) {
        uint32_t found = 0;
        const int fd = ports_hold(FIRST, LAST, &next, &found);
        if (fd < 0)
            return n;
        ck_assert_uint_lt(n, ROOM);
        held[n] = fd;
        port[n] = found;
    }
}

static void close_all(size_t n, const int held[])
{
    for (size_t i = 0; i < n; i++)
        close(held[i]);
}

START_TEST(every_free_port_of_the_range_is_found_once_in_order)
{
    int held[ROOM];
    uint32_t port[ROOM];
    const size_t n = hold_all(held, port);
    ck_assert_uint_gt(n, 1);
    for (size_t i = 0; i < n; i++) {
        ck_assert_uint_ge(port[i], FIRST);
        ck_assert_uint_lt(port[i], LAST);
        if (i > 0)
            ck_assert_uint_gt(port[i], port[i - 1]);
    }
    close_all(n, held);
}
END_TEST

START_TEST(a_port_that_is_held_is_not_found_again_and_only_its_stage_can_listen)
{
    int held[ROOM], others[ROOM];
    uint32_t port[ROOM], found[ROOM];
    const size_t n = hold_all(held, port);
    ck_assert_uint_gt(n, 0);
    ck_assert_uint_eq(hold_all(others, found), 0);
    ck_assert_int_lt(bind_port(port[0], 0), 0); /* a stranger */
    const int stage = bind_port(port[0], 1);
    ck_assert_int_ge(stage, 0);
    ck_assert_int_eq(listen(stage, 1), 0);
    close(stage);
    close_all(n, held);
    const size_t again = hold_all(others, found);
    ck_assert_uint_eq(again, n);
    close_all(again, others);
}
END_TEST

START_TEST(a_port_in_use_is_passed_over)
{
    int held[ROOM];
    uint32_t port[ROOM];
    size_t n = hold_all(held, port);
    ck_assert_uint_gt(n, 1);
    const uint32_t taken = port[0];
    close_all(n, held);
    const int stranger = bind_port(taken, 0);
    ck_assert_int_ge(stranger, 0);
    ck_assert_int_eq(listen(stranger, 1), 0);
    ck_assert_uint_eq(hold_all(held, port), n - 1);
    for (size_t i = 0; i < n - 1; i++)
        ck_assert_uint_ne(port[i], taken);
    close_all(n - 1, held);
    close(stranger);
}
END_TEST

int main(void)
{
    TCase *cases = tcase_create("ports");
    tcase_add_test(cases, every_free_port_of_the_range_is_found_once_in_order);
    tcase_add_test(cases, a_port_that_is_held_is_not_found_again_and_only_its_stage_can_listen);
    tcase_add_test(cases, a_port_in_use_is_passed_over);
    return run_case(cases, "ports");
}
