/* SPDX-License-Identifier: GPL-3.0-or-later */
/* stage_heartbeat: the heartbeat of a stage process, made of the state of its role. */
#ifndef COMMON_STAGE_STAGE_HEARTBEAT_H
#define COMMON_STAGE_STAGE_HEARTBEAT_H

#include "common/stage/roles/role.h"

/* Publishes one heartbeat; does nothing where the process has no monitor. idle: percent of the last
 * interval that the process spent waiting, 0 to 100. */
void stage_heartbeat_send(struct runtime *runtime, unsigned idle);

#endif
