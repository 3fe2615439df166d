/* SPDX-License-Identifier: GPL-3.0-or-later */
/* loop: the life of a stage process between its setup and its exit code. It creates the stage
 * (waiting for room while the disk is full), opens its role, and then runs the role turn by turn,
 * waits for sockets, signals and the stage's own descriptors, and sends heartbeats, until the role
 * has finished or SIGTERM or SIGINT comes. */
#ifndef COMMON_STAGE_LOOP_H
#define COMMON_STAGE_LOOP_H

#include "common/base/status.h"
#include "common/stage/roles/role.h"

/* Runs the stage of *runtime, whose setup is loaded. signals: a signalfd of SIGTERM and SIGINT.
 * STATUS_OK also where the process was asked to stop. */
MUST_CHECK status loop_run(struct runtime *runtime, int signals);

#endif
