/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gnuplot: turns a table and a script into FOLDER/NAME.pdf and FOLDER/NAME.png.
 * gnuplot gets everything on its standard input and gives the picture on its standard output; the
 * files appear whole or not at all, and no path ever meets gnuplot's quoting. */
#ifndef TOOLS_CLUSTERSCAN_GNUPLOT_H
#define TOOLS_CLUSTERSCAN_GNUPLOT_H

#include "common/status/status.h"

enum { GNUPLOT_DOTS_PER_INCH = 300 }; /* of the PNG */

struct drawing {
    double width_cm;
    double height_cm;
    const char *table;  /* the script finds it as $data */
    const char *script; /* settings and plot commands, run once per format after `reset` */
};

/* Draws both files. STATUS_IO (logged) if there is no gnuplot (the message names the package), or
 * if it fails; what atomic_file_replace returns if a file cannot be written. */
MUST_CHECK status gnuplot_draw(const char *folder, const char *name, const struct drawing *drawing);

#endif
