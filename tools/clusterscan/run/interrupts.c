/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/run/interrupts.h"

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

static volatile sig_atomic_t noted;

static void note(int number)
{
    (void)number;
    noted = 1;
}

void interrupts_note(int flags)
{
    const struct sigaction action = {.sa_handler = note, .sa_flags = flags};
    for (size_t i = 0; i < NUMBERS; i++)
        if (!is_ignored(numbers[i]))
            sigaction(numbers[i], &action, NULL);
}

bool interrupts_noted(void)
{
    return noted != 0;
}
