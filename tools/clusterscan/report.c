/* SPDX-License-Identifier: GPL-3.0-or-later */
/* clusterscan report: tells a result file to somebody who does not know the program. */
#include "tools/clusterscan/report.h"

#include <argp.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "common/log/log.h"
#include "common/status/status.h"
#include "common/store/result_file.h"
#include "tools/clusterscan/command.h"

static bool sticks_out(const struct result_summary *result, size_t member, size_t cluster)
{
    return result->label[member * result->clusters + cluster] == 1;
}

static size_t count_selected(const struct result_summary *result, size_t member)
{
    size_t n = 0;
    for (size_t c = 0; c < result->clusters; c++)
        n += sticks_out(result, member, c);
    return n;
}

static json_t *selected_to_json(const struct result_summary *result, size_t member)
{
    json_t *clusters = json_array();
    for (size_t c = 0; c < result->clusters; c++)
        if (sticks_out(result, member, c))
            json_array_append_new(clusters, json_integer((json_int_t)c));
    return clusters;
}

static json_t *dropped_to_json(const struct tally *tally)
{
    json_t *dropped = json_object();
    for (int r = 0; r < DROP_REASONS; r++)
        json_object_set_new(dropped, drop_reason_name((enum drop_reason)r),
                            json_integer((json_int_t)tally->dropped[r]));
    return dropped;
}

static json_t *bin_to_json(const struct result_summary *result)
{
    const int32_t bin = result->bin[result_summary_best(result)];
    if (bin < 0)
        return json_null();
    return json_pack("[f, f]", result->edges[bin], result->edges[bin + 1]);
}

static int print_json(const struct result_summary *result)
{
    json_t *mls = json_array(), *selected = json_array();
    for (size_t m = 0; m < result->members; m++) {
        json_array_append_new(mls, json_real(result->mls[m]));
        json_array_append_new(selected, selected_to_json(result, m));
    }
    json_t *root = json_pack(
        "{s:I, s:I, s:I, s:I, s:o, s:I, s:o, s:f, s:o, s:o}", "events_read",
        (json_int_t)result->tally.read, "events_counted", (json_int_t)result->tally.counted,
        "events_dropped", (json_int_t)tally_dropped(&result->tally), "events_quarantined",
        (json_int_t)result->tally.quarantined, "dropped", dropped_to_json(&result->tally),
        "members", (json_int_t)result->members, "mls", mls, "mls_mean", result->mls_mean, "bin_gev",
        bin_to_json(result), "selected", selected);
    if (root == NULL) {
        log_error("out of memory");
        return EXIT_RUN_FAILED;
    }
    json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    putchar('\n');
    json_decref(root);
    return EXIT_DONE;
}

static void print_events(const struct tally *tally)
{
    printf("%12" PRIu64 " events read\n", tally->read);
    printf("%12" PRIu64 " counted (two jets, each with an image)\n", tally->counted);
    printf("%12" PRIu64 " dropped\n", tally_dropped(tally));
    for (int r = 0; r < DROP_REASONS; r++)
        if (tally->dropped[r] > 0)
            printf("%16" PRIu64 " %s\n", tally->dropped[r], drop_reason_text((enum drop_reason)r));
    printf("%12" PRIu64 " quarantined\n", tally->quarantined);
}

/* Cluster numbers, separated by commas; `none` if there are none. */
static void print_selected(const struct result_summary *result, size_t member)
{
    const char *before = "";
    for (size_t c = 0; c < result->clusters; c++) {
        if (!sticks_out(result, member, c))
            continue;
        printf("%s%zu", before, c);
        before = ", ";
    }
    if (*before == '\0')
        fputs("none", stdout);
}

static void print_member(const struct result_summary *result, size_t member)
{
    printf("  training %zu: clusters that stick out: ", member);
    print_selected(result, member);
    const int32_t bin = result->bin[member];
    if (bin >= 0) {
        const size_t at = member * result->bins + (size_t)bin;
        printf("; %.2f sigma at %g to %g GeV (%" PRIu64 " jets where %.1f are expected)",
               result->mls[member], result->edges[bin], result->edges[bin + 1], result->rich[at],
               result->background[at]);
    }
    putchar('\n');
}

static void print_answer(const struct result_summary *result)
{
    size_t selected = 0;
    for (size_t m = 0; m < result->members; m++)
        selected += count_selected(result, m);
    const size_t best = result_summary_best(result);
    const int32_t bin = result->bin[best];
    if (selected == 0)
        printf(
            "No cluster sticks out in any of %zu trainings: the maximum local significance is 0, "
            "no sign of a resonance.\n",
            result->members);
    else if (bin < 0)
        printf("Clusters stick out, but in no mass bin do they hold more jets than expected: no "
               "sign of a resonance.\n");
    else
        printf("The largest excess of %.2f sigma (local) at %g to %g GeV is that of training %zu; "
               "the mean over the trainings is %.2f sigma. This is a local significance, not "
               "corrected for looking at many bins.\n",
               result->mls[best], result->edges[bin], result->edges[bin + 1], best,
               result->mls_mean);
}

static void print_text(const struct result_summary *result)
{
    printf("Run %s (clusterscan %s)\n\n", result->run_id, result->version);
    print_events(&result->tally);
    printf("\nJets were sorted into %zu clusters of look-alikes, in %zu independent trainings.\n"
           "Maximum local significance over %" PRIu32 " mass bins, %g to %g GeV:\n",
           result->clusters, result->members, result->bins, result->edges[0],
           result->edges[result->bins]);
    for (size_t m = 0; m < result->members; m++)
        print_member(result, m);
    printf("  all: mean %.2f, median %.2f, smallest %.2f, largest %.2f sigma\n\n", result->mls_mean,
           result->mls_median, result->mls_min, result->mls_max);
    print_answer(result);
}

int report_print(const char *path, bool json)
{
    struct result_summary result;
    const status outcome = result_file_read(&result, path);
    if (outcome != STATUS_OK)
        return (int)status_exit_code(outcome);
    int code = EXIT_DONE;
    if (json)
        code = print_json(&result);
    else
        print_text(&result);
    result_summary_fini(&result);
    return code;
}

struct arguments {
    const char *path;
    bool json;
};

static error_t parse(int key, char *value, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    switch (key) {
    case 'j':
        arguments->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (arguments->path != NULL)
            argp_error(state, "one RESULTS file at a time, found also '%s'", value);
        arguments->path = value;
        return 0;
    case ARGP_KEY_END:
        if (arguments->path == NULL)
            argp_error(state, "which RESULTS file?");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int command_report(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"json", 'j', NULL, 0, "print one JSON object", 0},
        {0},
    };
    static const struct argp help = {
        .options = options,
        .parser = parse,
        .args_doc = "RESULTS",
        .doc = "Tell a result file in plain words: what became of the events, which clusters of "
               "jets stick out, and how significant their excess is."
               "\vExamples:\n"
               "  clusterscan report results.h5\n"
               "  clusterscan report --json results.h5",
    };
    struct arguments arguments = {0};
    argp_err_exit_status = EXIT_BAD_INPUT;
    if (argp_parse(&help, argc, argv, 0, NULL, &arguments) != 0)
        return EXIT_BAD_INPUT;
    return report_print(arguments.path, arguments.json);
}
