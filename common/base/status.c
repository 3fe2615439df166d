/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/base/status.h"

const char *status_text(status code)
{
    switch (code) {
    case STATUS_OK:
        return "done";
    case STATUS_NO_MEMORY:
        return "out of memory";
    case STATUS_BAD_SHAPE:
        return "sizes do not fit";
    case STATUS_BAD_INPUT:
        return "wrong input";
    case STATUS_IO:
        return "input or output failed";
    case STATUS_NO_SPACE:
        return "no space left";
    case STATUS_LOCKED:
        return "in use by another process";
    case STATUS_END:
        return "nothing more to come";
    case STATUS_INTERRUPTED:
        return "interrupted";
    }
    return "unknown status";
}

enum exit_code status_exit_code(status code)
{
    switch (code) {
    case STATUS_OK:
    case STATUS_END:
        return EXIT_DONE;
    case STATUS_BAD_INPUT:
    case STATUS_LOCKED:
        return EXIT_BAD_INPUT;
    case STATUS_INTERRUPTED:
        return EXIT_INTERRUPTED;
    case STATUS_NO_MEMORY:
    case STATUS_BAD_SHAPE:
    case STATUS_IO:
    case STATUS_NO_SPACE:
        return EXIT_RUN_FAILED;
    }
    return EXIT_RUN_FAILED;
}
