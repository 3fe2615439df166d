/* SPDX-License-Identifier: GPL-3.0-or-later */
/* colours: every colour of the figures, named by its use. Vermillion and blue of Okabe and Ito's
 * set, which the colour-blind can distinguish, their tints, and viridis for maps. */
#ifndef TOOLS_CLUSTERSCAN_FIGURES_COLOURS_H
#define TOOLS_CLUSTERSCAN_FIGURES_COLOURS_H

#define COLOUR_RICH            "#D55E00" /* signal-rich clusters, picked jets, and signal */
#define COLOUR_RICH_FILL       "#F0B48C"
#define COLOUR_OTHERS          "#0072B2" /* all other clusters, and expectations */
#define COLOUR_OTHERS_FILL     "#A9CFE6"
#define COLOUR_OTHERS_ERROR    "#BFDDF0"
#define COLOUR_OTHERS_BAND     "#CFE4F2"
#define COLOUR_OTHERS_THIN     "#8CC9EE" /* many lines over one another */
#define COLOUR_GREY_THIN       "#AAAAAA"
#define COLOUR_PLAIN           "#000000" /* the plain mean, beside the robust one */
#define COLOUR_SPECTRUM_WINDOW "#E3EFF8"
#define COLOUR_TRAINING_WINDOW "#F6D9C0"
#define COLOUR_FOOT            "#555555" /* caption of the run shown */
#define COLOUR_WARNING         "#B03A00" /* a verdict that is not good */

/* From dark to bright, for images. */
#define COLOUR_MAP                                                                         \
    "set palette defined (0 '#440154', 0.125 '#472C7A', 0.25 '#3B518B', 0.375 '#2C718E', " \
    "0.5 '#21908D', 0.625 '#27AD81', 0.75 '#5CC863', 0.875 '#AADC32', 1 '#FDE725')"

#endif
