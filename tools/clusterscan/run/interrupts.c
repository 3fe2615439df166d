/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/run/interrupts.h"

#include <stdbool.h>
#include <stddef.h>

static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
enum { NUMBERS = sizeof numbers / sizeof *numbers };

static bool is_ignored(int number)
{
    struct sigaction action;
    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

void interrupts_add(sigset_t *set)
{
    for (size_t i = 0; i < NUMBERS; i++)
        if (!is_ignored(numbers[i]))
            sigaddset(set, numbers[i]);
}

void interrupts_catch(void (*handler)(int number), int flags)
{
    const struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    for (size_t i = 0; i < NUMBERS; i++)
        if (!is_ignored(numbers[i]))
            sigaction(numbers[i], &action, NULL);
}
