/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ports: free tcp ports of 127.0.0.1, kept from other runs until the stage that gets them binds. */
#ifndef TOOLS_CLUSTERSCAN_RUN_PORTS_H
#define TOOLS_CLUSTERSCAN_RUN_PORTS_H

#include <stdint.h>

/* Finds a free port in first .. last - 1 and holds it: a bound socket that does not listen, which a
 * stage may share (SO_REUSEADDR) and a second search may not. Returns the descriptor, to be
 * closed when the run is over, and the port; -1 if none is free. *next is where to search from, and
 * after which port to go on; start with 0. */
int ports_hold(uint32_t first, uint32_t last, uint32_t *next, uint32_t *port);

#endif
