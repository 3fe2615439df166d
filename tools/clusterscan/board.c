/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/board.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/flow/link.h"
#include "common/log/log.h"
#include "tools/clusterscan/gauge.h"

enum { BOARD_MS = 1000, PATH_SIZE = 4300 };

void board_init(struct board *self, const struct plan *plan)
{
    *self = (struct board){.plan = plan, .start_ms = flow_now_ms()};
}

static void write_board(const struct board *self, json_t *board)
{
    char path[PATH_SIZE];
    char temporary[PATH_SIZE];
    snprintf(path, sizeof path, "%.4090s/" BOARD_FILE, self->plan->folder);
    snprintf(temporary, sizeof temporary, "%.4090s/." BOARD_FILE, self->plan->folder);
    /* No fsync: it is worth nothing after the power is gone. */
    if (board == NULL || json_dump_file(board, temporary, JSON_INDENT(2)) != 0 ||
        rename(temporary, path) != 0)
        unlink(temporary);
}

void board_show(struct board *self, size_t n, const struct child children[])
{
    const uint64_t now = flow_now_ms();
    if (now - self->shown_ms < BOARD_MS)
        return;
    self->shown_ms = now;
    json_t *board = gauges_to_json(self->plan, n, children, (now - self->start_ms) / 1000);
    write_board(self, board);
    json_decref(board);
}

void board_end(struct board *self, size_t n, const struct child children[], enum exit_code code)
{
    json_t *board =
        gauges_to_json(self->plan, n, children, (flow_now_ms() - self->start_ms) / 1000);
    json_object_set_new(board, "exit_code", json_integer(code));
    write_board(self, board);
    json_decref(board);
}

/* --- the lock ---------------------------------------------------------------------------- */

static int open_lock(const char *folder, int flags)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%.4090s/run.lock", folder);
    return open(path, flags | O_CLOEXEC, 0666);
}

int run_lock_take(const char *folder)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    const int fd = open_lock(folder, O_RDWR | O_CREAT);
    if (fd >= 0 && fcntl(fd, F_OFD_SETLK, &whole) == 0)
        return fd;
    log_error("%s/run.lock: %s", folder,
              fd < 0 || (errno != EAGAIN && errno != EACCES)
                  ? strerror(errno)
                  : "another run is at work on the same events; use another --state");
    if (fd >= 0)
        close(fd);
    return -1;
}

bool run_lock_is_held(const char *folder)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    const int fd = open_lock(folder, O_RDONLY);
    if (fd < 0)
        return false;
    const bool held = fcntl(fd, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
    close(fd);
    return held;
}
