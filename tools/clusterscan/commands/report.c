/* SPDX-License-Identifier: GPL-3.0-or-later */
/* clusterscan report: a result file in words, for a reader who does not know the program. */
#include "tools/clusterscan/commands/report.h"

#include <argp.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/status.h"
#include "common/kernels/statistics/verdicts.h"
#include "common/store/results/result_file.h"
#include "common/store/results/result_summary.h"
#include "common/store/results/scan_file.h"
#include "tools/clusterscan/command.h"
#include "tools/clusterscan/commands/arguments.h"
#include "tools/clusterscan/report/report_text.h"
#include "tools/clusterscan/report/scan_report.h"

static bool sticks_out(const struct result_summary *result, size_t member, size_t cluster)
{
    return result->label[member * result->clusters + cluster] == 1;
}

static json_t *selected_to_json(const struct result_summary *result, size_t member)
{
    json_t *clusters = json_array();
    for (size_t c = 0; c < result->clusters; c++)
        if (sticks_out(result, member, c))
            json_array_append_new(clusters, json_integer((json_int_t)c));
    return clusters;
}

static json_t *interval_to_json(const struct result_summary *result, int32_t bin)
{
    if (bin < 0)
        return json_null();
    return json_pack("[f, f]", result->edges[bin], result->edges[bin + 1]);
}

/* The bin that most members name; -1 if none names one. */
static int32_t named_bin(const struct result_summary *result, size_t *members)
{
    return most_named_bin(result->members, result->bin, members);
}

static json_t *member_to_json(const struct result_summary *result, size_t m)
{
    const int32_t bin = result->bin[m];
    const size_t at = m * result->bins + (size_t)(bin < 0 ? 0 : bin);
    json_t *member =
        json_pack("{s:I, s:f, s:o, s:o}", "member", (json_int_t)m, "mls", result->mls[m], "bin_gev",
                  interval_to_json(result, bin), "selected", selected_to_json(result, m));
    if (bin >= 0 && member != NULL) {
        json_object_set_new(member, "jets", json_integer((json_int_t)result->rich[at]));
        json_object_set_new(member, "background", json_real(result->background[at]));
    }
    if (bin >= 0 && member != NULL && result->depleted != NULL)
        json_object_set_new(member, "depleted", json_integer((json_int_t)result->depleted[at]));
    return member;
}

static json_t *verdicts_to_json(const struct result_summary *result)
{
    json_t *list = json_array();
    for (size_t i = 0; i < result->n_verdicts; i++) {
        const struct result_verdict *verdict = &result->verdicts[i];
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s}", "name", verdict->name, "state",
                                        verdict_state_name(verdict->state), "text", verdict->text));
    }
    return list;
}

static json_t *notes_to_json(const struct result_summary *result, bool rows)
{
    json_t *list = json_array();
    for (size_t i = 0; i < result->notes.n; i++) {
        const struct input_note *note = &result->notes.note[i];
        json_t *object = (note->rows > 0) != rows
                             ? NULL
                             : json_pack("{s:s, s:s}", "file", note->file, "reason", note->reason);
        if (object == NULL)
            continue;
        if (rows) {
            json_object_set_new(object, "first_row", json_integer((json_int_t)note->first_row));
            json_object_set_new(object, "rows", json_integer((json_int_t)note->rows));
        }
        json_array_append_new(list, object);
    }
    return list;
}

static json_t *history_to_json(const struct result_summary *result)
{
    json_t *list = json_array();
    for (size_t s = 0; result->history_mean != NULL && s < result->slices; s++)
        json_array_append_new(list, json_pack("{s:I, s:f}", "events_read",
                                              (json_int_t)result->history_events[s], "mls_mean",
                                              result->history_mean[s]));
    return list;
}

static json_t *to_json(const struct result_summary *result)
{
    json_t *mls = json_array(), *selected = json_array(), *members = json_array();
    for (size_t m = 0; m < result->members; m++) {
        json_array_append_new(mls, json_real(result->mls[m]));
        json_array_append_new(selected, selected_to_json(result, m));
        json_array_append_new(members, member_to_json(result, m));
    }
    size_t named;
    const int32_t bin = named_bin(result, &named);
    return json_pack(
        "{s:o, s:s, s:b, s:s, s:s?, s:s, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:f, s:f, s:I, s:I, "
        "s:f, s:f, s:f, s:f, s:b, s:o, s:I, s:o, s:o, s:o, s:o, s:o}",
        "verdicts", verdicts_to_json(result), "verdict",
        verdict_state_name(result_summary_worst(result)), "final", result->final, "run_id",
        result->run_id, "log_id", result->log_id, "version", result->version, "events_read",
        (json_int_t)result->tally.read, "events_counted", (json_int_t)result->tally.counted,
        "events_dropped", (json_int_t)tally_dropped(&result->tally), "events_quarantined",
        (json_int_t)result->tally.quarantined, "dropped", report_dropped_to_json(&result->tally),
        "refused", notes_to_json(result, false), "quarantined", notes_to_json(result, true),
        "window_lo_gev", result->edges[0], "window_hi_gev", result->edges[result->bins], "bins",
        (json_int_t)result->bins, "members", (json_int_t)result->members, "mls_mean",
        result->mls_mean, "mls_median", result->mls_median, "mls_max", result->mls_max, "mls_min",
        result->mls_min, "calibrated", false, "bin_gev",
        interval_to_json(result, result->bin[result_summary_best(result)]), "members_that_name_it",
        (json_int_t)named, "mls", mls, "selected", selected, "per_member", members, "history",
        history_to_json(result), "most_named_bin_gev", interval_to_json(result, bin));
}

/* What of the input is not in the answer, by name. */
static void print_notes(const struct input_notes *notes)
{
    for (size_t i = 0; i < notes->n; i++) {
        const struct input_note *note = &notes->note[i];
        fputs(note->rows > 0 ? "quarantined: " : "refused: ", stdout);
        report_print_text(note->file);
        if (note->rows > 0)
            printf(", rows %" PRIu64 " to %" PRIu64, note->first_row,
                   note->first_row + note->rows - 1);
        fputs(": ", stdout);
        report_print_text(note->reason);
        putchar('\n');
    }
}

/* The checks that failed, the worst first. */
static void print_verdicts(const struct result_summary *result)
{
    size_t good = 0;
    for (int state = VERDICT_BAD; state > VERDICT_GOOD; state--)
        for (size_t i = 0; i < result->n_verdicts; i++) {
            const struct result_verdict *verdict = &result->verdicts[i];
            if (verdict->state != (enum verdict_state)state)
                continue;
            printf("%s (", state == VERDICT_BAD ? "BAD" : "DOUBTFUL");
            report_print_text(verdict->name);
            fputs("): ", stdout);
            report_print_text(verdict->text);
            fputs(".\n", stdout);
        }
    for (size_t i = 0; i < result->n_verdicts; i++)
        good += result->verdicts[i].state == VERDICT_GOOD;
    if (result->n_verdicts == 0)
        puts("This file tells of no checks: it was written by an earlier version.");
    else if (good == result->n_verdicts)
        printf("All %zu checks of the answer are good.\n", good);
    else
        printf("The other %zu of %zu checks are good.\n", good, result->n_verdicts);
}

/* How many clusters were picked, and the numbers of the first few. */
static void print_selected(const struct result_summary *result, size_t member)
{
    enum { SHOWN = 8 };
    size_t n = 0;
    for (size_t c = 0; c < result->clusters; c++)
        n += sticks_out(result, member, c);
    printf("%zu of %zu", n, result->clusters);
    size_t shown = 0;
    for (size_t c = 0; c < result->clusters && shown < SHOWN; c++)
        if (sticks_out(result, member, c))
            printf("%s%zu", shown++ == 0 ? ": " : ", ", c);
    if (n > SHOWN)
        fputs(", ...", stdout);
}

static void print_members(const struct result_summary *result)
{
    printf("\nmember   MLS  mass bin [GeV]       jets  expected  clusters picked\n");
    for (size_t m = 0; m < result->members; m++) {
        const int32_t bin = result->bin[m];
        const size_t at = m * result->bins + (size_t)(bin < 0 ? 0 : bin);
        char interval[60] = "none";
        if (bin >= 0)
            snprintf(interval, sizeof interval, "%g to %g", result->edges[bin],
                     result->edges[bin + 1]);
        printf("%6zu %5.2f  %-15s", m, result->mls[m], interval);
        if (bin >= 0)
            printf("%10" PRIu64 "%10.1f  ", result->rich[at], result->background[at]);
        else
            printf("%10s%10s  ", "-", "-");
        print_selected(result, m);
        putchar('\n');
    }
}

/* Background alone gives a mean of about 2 to 3 (docs/physics.md section 11). */
#define ORDINARY_MLS 3.5

static void print_conclusion(const struct result_summary *result)
{
    if (result_summary_worst(result) == VERDICT_BAD)
        puts("No conclusion can be drawn from these numbers: a check above is bad.");
    else if (result->mls_mean <= ORDINARY_MLS)
        puts("This is ordinary: no sign of a resonance.");
    else
        puts("This is more than background alone usually gives: look again, and calibrate it on "
             "background before calling it anything.");
}

static void print_answer(const struct result_summary *result)
{
    const size_t best = result_summary_best(result);
    size_t named;
    const int32_t most = named_bin(result, &named);
    printf(
        "The mean over %zu members of the maximum local significance (MLS) is %.2f; background of "
        "this size gives about 2 to 3.\n",
        result->members, result->mls_mean);
    if (most < 0)
        puts("In no mass bin do picked clusters hold more jets than expected.");
    else
        printf(
            "%zu of %zu members have their largest excess at %g to %g GeV. The largest of all is "
            "%.2f, in member %zu at %g to %g GeV.\n",
            named, result->members, result->edges[most], result->edges[most + 1], result->mls[best],
            best, result->edges[result->bin[best]], result->edges[result->bin[best] + 1]);
    puts("These are local numbers, of clusters picked for their excess: corrected neither for "
         "picking "
         "them nor for looking at many bins and members, and not calibrated.");
    print_conclusion(result);
}

static void print_text(const struct result_summary *result)
{
    report_print_run(result->run_id, result->version, result->final);
    print_verdicts(result);
    putchar('\n');
    report_print_events(&result->tally);
    print_notes(&result->notes);
    printf(
        "\nA member is one independent training: %zu of them sorted the jets into %zu clusters of "
        "look-alikes.\nThe spectrum has %" PRIu32 " mass bins, %g to %g GeV.\n",
        result->members, result->clusters, result->bins, result->edges[0],
        result->edges[result->bins]);
    puts("Method: Cluster Scanning (arXiv:2402.17714) with anti-kT jets (JHEP 04 (2008) 063; "
         "FastJet, "
         "Eur. Phys. J. C 72 (2012) 1896).");
    print_members(result);
    printf("   all: mean %.2f, median %.2f, smallest %.2f, largest %.2f\n\n", result->mls_mean,
           result->mls_median, result->mls_min, result->mls_max);
    print_answer(result);
}

/* Whether some of the input was refused or could not be worked on. */
static bool is_incomplete(const struct result_summary *result)
{
    return result->notes.n > 0 || result->tally.quarantined > 0;
}

int report_print(const char *path, bool json, bool *incomplete)
{
    struct result_summary result;
    if (scan_file_is(path)) {
        *incomplete = false;
        return scan_report_print(path, json);
    }
    const status outcome = result_summary_read(&result, path);
    if (outcome != STATUS_OK)
        return (int)status_exit_code(outcome);
    int code = EXIT_DONE;
    if (json)
        code = report_print_json(to_json(&result), result.run_id);
    else
        print_text(&result);
    *incomplete = is_incomplete(&result);
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
        results_argument(&arguments->path, value, state);
        return 0;
    case ARGP_KEY_END:
        results_argument_check(arguments->path, state);
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
               "  clusterscan report --json results.h5\n"
               "  clusterscan report composition.h5",
    };
    struct arguments arguments = {0};
    if (!arguments_parse(&help, argc, argv, &arguments))
        return EXIT_BAD_INPUT;
    bool incomplete;
    return report_print(arguments.path, arguments.json, &incomplete);
}
