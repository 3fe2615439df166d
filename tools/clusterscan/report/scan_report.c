/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/report/scan_report.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>

#include "common/base/status.h"
#include "common/store/results/scan_file.h"
#include "tools/clusterscan/report/report_text.h"

/* From here on a p-value is worth a second look, and from here on it is called significant: the
 * usual two and five standard deviations of the field. */
#define LOOK_AGAIN_Z  2.
#define SIGNIFICANT_Z 5.

/* Whether p is only known not to be larger. */
static bool is_bound(const struct scan_summary *scan)
{
    return scan->reached == 0 && !scan->extrapolated;
}

static const char *conclusion_of(const struct scan_summary *scan)
{
    if (scan->toys == 0)
        return "none";
    return scan->z < LOOK_AGAIN_Z    ? "ordinary"
           : scan->z < SIGNIFICANT_Z ? "look again"
                                     : "significant";
}

static json_t *windows_to_json(const struct scan_summary *scan)
{
    json_t *list = json_array();
    for (size_t w = 0; w < scan->windows; w++)
        json_array_append_new(list,
                              json_pack("{s:[f, f], s:f, s:f, s:f}", "window_gev", scan->low[w],
                                        scan->high[w], "statistic", scan->statistic[w], "null_mean",
                                        scan->null_mean[w], "null_sd", scan->null_sd[w]));
    return list;
}

static json_t *history_to_json(const struct scan_summary *scan)
{
    json_t *list = json_array();
    for (size_t s = 0; s < scan->slices; s++)
        json_array_append_new(list, json_pack("{s:I, s:I, s:f, s:f}", "events_read",
                                              (json_int_t)scan->history_events[s], "toys",
                                              (json_int_t)scan->history_toys[s], "ln_p",
                                              scan->history_ln_p[s], "z", scan->history_z[s]));
    return list;
}

static json_t *to_json(const struct scan_summary *scan)
{
    const struct result_attributes *about = &scan->about;
    json_t *root =
        json_pack("{s:s, s:b, s:s, s:s?, s:s, s:I, s:I, s:I, s:I, s:o, s:I, s:I, s:I, s:o, s:o}",
                  "conclusion", conclusion_of(scan), "final", about->final, "run_id", about->run_id,
                  "log_id", about->log_id, "version", about->version, "events_read",
                  (json_int_t)about->tally.read, "events_counted", (json_int_t)about->tally.counted,
                  "events_dropped", (json_int_t)tally_dropped(&about->tally), "events_quarantined",
                  (json_int_t)about->tally.quarantined, "dropped",
                  report_dropped_to_json(&about->tally), "members", (json_int_t)scan->members,
                  "toys", (json_int_t)scan->toys, "toys_that_reach_it", (json_int_t)scan->reached,
                  "windows", windows_to_json(scan), "history", history_to_json(scan));
    if (root == NULL || scan->windows == 0 || scan->toys == 0)
        return root;
    json_object_set_new(root, "window_gev",
                        json_pack("[f, f]", scan->low[scan->largest], scan->high[scan->largest]));
    json_object_set_new(root, "pull", json_real(scan->pull));
    json_object_set_new(root, "p", json_real(exp(scan->ln_p)));
    json_object_set_new(root, "ln_p", json_real(scan->ln_p));
    json_object_set_new(root, "z", json_real(scan->z));
    json_object_set_new(root, "bound", json_boolean(is_bound(scan)));
    json_object_set_new(root, "extrapolated", json_boolean(scan->extrapolated));
    return root;
}

static void print_classes(const struct scan_summary *scan)
{
    uint32_t least = UINT32_MAX, most = 0;
    for (size_t m = 0; m < scan->members; m++) {
        least = scan->classes[m] < least ? scan->classes[m] : least;
        most = scan->classes[m] > most ? scan->classes[m] : most;
    }
    printf("\nThe composition scan asks, for %zu mass windows, whether classes of events (by the "
           "clusters of their jets)\nare more frequent in the window than their trend with mass "
           "predicts: %zu members with %u to %u classes.\n",
           scan->windows, scan->members, least, most);
}

static void print_p_value(const struct scan_summary *scan)
{
    const double p = exp(scan->ln_p);
    printf("The window that differs most is %g to %g GeV: its statistic is %.2f, that of the same "
           "events with windows mixed\n%.2f +- %.2f, a pull of %.2f.\n\n",
           scan->low[scan->largest], scan->high[scan->largest], scan->statistic[scan->largest],
           scan->null_mean[scan->largest], scan->null_sd[scan->largest], scan->pull);
    printf("p %s %.3g (Z %.2f): %u of %zu toys have as large a pull in some window%s.\n",
           is_bound(scan) ? "<=" : "=", p, scan->z, scan->reached, scan->toys,
           scan->extrapolated ? "; too few, so p is\nextrapolated by a gamma distribution with "
                                "their mean, variance and skewness"
                              : "");
    printf("This is corrected for all windows, classes and members (look-elsewhere effect), not "
           "for having looked %s.\n",
           scan->slices > 1 ? "after earlier slices too" : "at this sample before");
}

static void print_conclusion(const struct scan_summary *scan)
{
    if (scan->z < LOOK_AGAIN_Z)
        puts("This is ordinary: no sign of a resonance.");
    else if (scan->z < SIGNIFICANT_Z)
        puts("Look again: background alone does this less than once in 40 times.");
    else
        puts("This is significant: above 5 standard deviations. Check the detector first.");
}

static void print_text(const struct scan_summary *scan)
{
    report_print_run(scan->about.run_id, scan->about.version, scan->about.final);
    report_print_events(&scan->about.tally);
    print_classes(scan);
    if (scan->windows == 0) {
        puts("Too few mass bins hold events: no window can be predicted from at least 3 bins "
             "outside it, and nothing was tested.");
        return;
    }
    if (scan->toys == 0) {
        puts("No toys were made (settings.toys is 0), so there is no p-value.");
        return;
    }
    print_p_value(scan);
    print_conclusion(scan);
}

int scan_report_print(const char *path, bool json)
{
    struct scan_summary scan;
    int code = (int)status_exit_code(scan_summary_read(&scan, path));
    if (code == EXIT_DONE && json)
        code = report_print_json(to_json(&scan), scan.about.run_id);
    else if (code == EXIT_DONE)
        print_text(&scan);
    scan_summary_fini(&scan);
    return code;
}
