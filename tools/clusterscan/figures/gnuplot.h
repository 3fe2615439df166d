/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gnuplot: turns tables and scripts into FOLDER/NAME.pdf and FOLDER/NAME.png.
 * One gnuplot draws all; script and pictures pass through files without names in TMPDIR, else /tmp.
 * The files appear whole or not at all, and no path ever meets gnuplot's quoting. */
#ifndef TOOLS_CLUSTERSCAN_FIGURES_GNUPLOT_H
#define TOOLS_CLUSTERSCAN_FIGURES_GNUPLOT_H

#include <stddef.h>
#include <stdio.h>

#include "common/base/status.h"

enum { GNUPLOT_DOTS_PER_INCH = 300 }; /* of the PNG */
enum { GNUPLOT_DRAWINGS_MAX = 32 };

struct drawing {
    const char *name; /* of its files, without suffix */
    double width_cm;
    double height_cm;
    const char *table;  /* the script finds it as $data */
    const char *script; /* settings and plot commands, run once per format after `reset` */
};

/* Draws both files of at most GNUPLOT_DRAWINGS_MAX drawings. STATUS_IO (logged) if there is no
 * gnuplot (the message names the package), or if it fails, in which case no file is touched; what
 * atomic_file_replace returns if a file cannot be written. */
MUST_CHECK status gnuplot_draw(const char *folder, size_t n, const struct drawing drawings[]);

/* Prints a text of a file or of a user into a script, as a quoted string that gnuplot shows
 * verbatim: no part of it is a command, a macro or a change of font. A character that is not
 * printable ASCII becomes a question mark; a longer text than `most` characters is cut. */
void gnuplot_print_text(const char *text, size_t most, FILE *to);

#endif
