/* SPDX-License-Identifier: GPL-3.0-or-later */
/* clusterscan compare: what differs between two result files, in plain words or as JSON. */
#include <argp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/printable.h"
#include "tools/clusterscan/command.h"
#include "tools/clusterscan/commands/arguments.h"
#include "tools/clusterscan/compare/difference.h"
#include "tools/clusterscan/compare/scan_difference.h"

enum { EXIT_DIFFERENT = 1 }; /* as diff(1) */

struct arguments {
    const char *paths[2];
    size_t n;
    bool json;
};

/* A text of a file: whatever stands in it commands no terminal. */
static void print_foreign(const char *text)
{
    char shown[400];
    text_printable(text, sizeof shown, shown);
    fputs(shown, stdout);
}

static void print_value(const json_t *value)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(12));
    print_foreign(json_is_null(value)     ? "nothing"
                  : json_is_string(value) ? json_string_value(value)
                  : text != NULL          ? text
                                          : "?");
    free(text);
}

/* "  key: this in A, that in B", a line per pair. */
static void print_pairs(const char *title, json_t *pairs)
{
    const char *key;
    json_t *pair;
    if (json_object_size(pairs) > 0)
        printf("%s:\n", title);
    json_object_foreach(pairs, key, pair)
    {
        fputs("  ", stdout);
        print_foreign(key);
        fputs(": ", stdout);
        print_value(json_array_get(pair, 0));
        fputs(" in A, ", stdout);
        print_value(json_array_get(pair, 1));
        puts(" in B");
    }
}

static void print_clusters(const json_t *clusters, const char *where)
{
    for (size_t i = 0; i < json_array_size(clusters); i++)
        printf("%s%" JSON_INTEGER_FORMAT, i > 0 ? ", " : where,
               json_integer_value(json_array_get(clusters, i)));
}

static double of(const json_t *pair, size_t i)
{
    return json_number_value(json_array_get(pair, i));
}

static void print_named(const json_t *answer, size_t i)
{
    const json_t *bin = json_array_get(json_object_get(answer, "bin"), i);
    if (json_is_null(bin))
        fputs("no training names a bin", stdout);
    else
        printf("%.0f trainings name %g to %g GeV", of(json_object_get(answer, "named"), i),
               of(bin, 0), of(bin, 1));
}

/* The answers of both, and whether what lies between them is ordinary. */
static void print_answer(const json_t *answer)
{
    const json_t *mean = json_object_get(answer, "mean"),
                 *median = json_object_get(answer, "median");
    const json_t *scatter = json_object_get(answer, "scatter"),
                 *agree = json_object_get(answer, "agree");
    printf("mean significance: %.4g in A, %.4g in B; median: %.4g in A, %.4g in B\n", of(mean, 0),
           of(mean, 1), of(median, 0), of(median, 1));
    fputs("the bin: ", stdout);
    print_named(answer, 0);
    fputs(" in A; ", stdout);
    print_named(answer, 1);
    puts(" in B");
    if (json_is_null(agree)) {
        puts("With one training in a result nobody knows how far such results scatter.");
        return;
    }
    const double ordinary = json_number_value(json_object_get(answer, "ordinary"));
    printf("The trainings scatter by %.2g in A and %.2g in B, so that means may lie apart by %.2g: "
           "the answers %s within what the trainings scatter.\n",
           of(scatter, 0), of(scatter, 1), ordinary,
           json_is_true(agree) ? "agree" : "do not agree");
}

/* Pairs of one kind: rich in A, in B, or in both. Returns what is to stand before the next kind. */
static const char *print_pairs_of(json_t *pairs, const char *before, const char *kind, bool a,
                                  bool b)
{
    size_t i, n = 0;
    json_t *pair;
    json_array_foreach(pairs, i, pair)
    {
        const json_t *rich = json_object_get(pair, "rich");
        if (json_is_true(json_array_get(rich, 0)) != a ||
            json_is_true(json_array_get(rich, 1)) != b)
            continue;
        printf("%s%s%" JSON_INTEGER_FORMAT "-%" JSON_INTEGER_FORMAT, n == 0 ? before : ", ",
               n == 0 ? kind : "", json_integer_value(json_object_get(pair, "a")),
               json_integer_value(json_object_get(pair, "b")));
        n++;
    }
    return n > 0 ? "; " : before;
}

static double mean_overlap(json_t *pairs)
{
    size_t i;
    json_t *pair;
    double sum = 0;
    json_array_foreach(pairs, i, pair) sum += json_real_value(json_object_get(pair, "overlap"));
    return json_array_size(pairs) > 0 ? sum / (double)json_array_size(pairs) : 0;
}

static void print_matched(json_t *members)
{
    size_t i;
    json_t *member;
    if (json_array_size(members) > 0)
        puts("clusters of different trainings, as pairs A-B of the closest centres; those that "
             "stick "
             "out:");
    json_array_foreach(members, i, member)
    {
        json_t *pairs = json_object_get(member, "pairs");
        printf("  training %" JSON_INTEGER_FORMAT,
               json_integer_value(json_object_get(member, "member")));
        const char *before = print_pairs_of(pairs, ": ", "in both ", true, true);
        before = print_pairs_of(pairs, before, "only in A ", true, false);
        before = print_pairs_of(pairs, before, "only in B ", false, true);
        printf("%sthe spectra of a pair overlap by %.0f%% in the mean\n", before,
               100 * mean_overlap(pairs));
    }
}

/* Unless there is nothing to be said of them. */
static void print_clusters_compared(const json_t *difference)
{
    const char *how = json_string_value(json_object_get(difference, "clusters"));
    if (strcmp(how, "same") != 0 && strcmp(how, "matched") != 0)
        printf("clusters cannot be compared one by one: %s\n", how);
    print_matched(json_object_get(difference, "matched"));
}

static void print_selected(json_t *members)
{
    size_t i;
    json_t *member;
    if (json_array_size(members) > 0)
        puts("clusters that stick out:");
    json_array_foreach(members, i, member)
    {
        printf("  training %" JSON_INTEGER_FORMAT,
               json_integer_value(json_object_get(member, "member")));
        print_clusters(json_object_get(member, "only_a"), ": only in A: ");
        print_clusters(json_object_get(member, "only_b"),
                       json_array_size(json_object_get(member, "only_a")) > 0 ? "; only in B: "
                                                                              : ": only in B: ");
        putchar('\n');
    }
}

static void print_bin(const json_t *bin)
{
    if (json_is_null(bin))
        fputs(" (no bin)", stdout);
    else
        printf(" (%g to %g GeV)", json_real_value(json_array_get(bin, 0)),
               json_real_value(json_array_get(bin, 1)));
}

static void print_mls(json_t *members)
{
    size_t i;
    json_t *member;
    if (json_array_size(members) > 0)
        puts("maximum local significance:");
    json_array_foreach(members, i, member)
    {
        printf("  training %" JSON_INTEGER_FORMAT ": %.10g",
               json_integer_value(json_object_get(member, "member")),
               json_real_value(json_object_get(member, "a")));
        print_bin(json_object_get(member, "bin_a"));
        printf(" in A, %.10g", json_real_value(json_object_get(member, "b")));
        print_bin(json_object_get(member, "bin_b"));
        puts(" in B");
    }
}

static void print_shape(const json_t *shape)
{
    if (json_is_null(shape))
        fputs("missing", stdout);
    for (size_t d = 0; d < json_array_size(shape); d++)
        printf("%s%" JSON_INTEGER_FORMAT, d > 0 ? " x " : "",
               json_integer_value(json_array_get(shape, d)));
}

static void print_dataset(json_t *dataset)
{
    printf("  %s: ", json_string_value(json_object_get(dataset, "name")));
    if (json_object_get(dataset, "shape_a") != NULL) {
        print_shape(json_object_get(dataset, "shape_a"));
        fputs(" in A, ", stdout);
        print_shape(json_object_get(dataset, "shape_b"));
        puts(" in B");
        return;
    }
    printf("%" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT " numbers differ, at most by %.6g",
           json_integer_value(json_object_get(dataset, "differ")),
           json_integer_value(json_object_get(dataset, "numbers")),
           json_real_value(json_object_get(dataset, "largest")));
    const char *before = " (", *name;
    json_t *index;
    json_object_foreach(json_object_get(dataset, "at"), name, index)
    {
        printf("%s%s %" JSON_INTEGER_FORMAT, before, name, json_integer_value(index));
        before = ", ";
    }
    puts(*before == ',' ? ")" : "");
}

static void print_final(const json_t *final)
{
    for (size_t i = 0; i < 2; i++)
        if (!json_is_true(json_array_get(final, i)))
            printf("%s is not final: its run has not ended\n", i == 0 ? "A" : "B");
}

/* The last line, which says what a reader looks for first. */
static void print_end(json_t *difference, bool equal)
{
    const char *key, *before = "All numbers are equal; what differs is ";
    json_t *pair, *analysis = json_object_get(difference, "analysis");
    if (!equal || json_object_size(analysis) == 0) {
        puts(equal ? "The results are equal." : "The results differ.");
        return;
    }
    json_object_foreach(analysis, key, pair)
    {
        fputs(before, stdout);
        print_foreign(key);
        before = ", ";
    }
    puts(".");
}

static void print_text(const struct arguments *arguments, json_t *difference)
{
    size_t i;
    json_t *dataset, *datasets = json_object_get(difference, "datasets");
    const bool equal = json_is_true(json_object_get(difference, "equal"));
    printf("A is %s, B is %s\n", arguments->paths[0], arguments->paths[1]);
    print_final(json_object_get(difference, "final"));
    if (!equal)
        print_answer(json_object_get(difference, "answer"));
    print_pairs("names (they do not count)", json_object_get(difference, "names"));
    print_pairs("analysis", json_object_get(difference, "analysis"));
    print_pairs("events", json_object_get(difference, "tallies"));
    print_selected(json_object_get(difference, "selected"));
    print_clusters_compared(difference);
    print_mls(json_object_get(difference, "mls"));
    if (json_array_size(datasets) > 0)
        puts("numbers:");
    json_array_foreach(datasets, i, dataset) print_dataset(dataset);
    print_end(difference, equal);
}

static void print_scan(size_t i, const json_t *difference)
{
    const json_t *window = json_array_get(json_object_get(difference, "window_gev"), i);
    printf("%s: ", i == 0 ? "A" : "B");
    if (json_is_null(window)) {
        puts("no p-value");
        return;
    }
    printf("p %.3g, Z %.2f, at %g to %g GeV, from %" JSON_INTEGER_FORMAT " toys\n",
           json_real_value(json_array_get(json_object_get(difference, "p"), i)),
           json_real_value(json_array_get(json_object_get(difference, "z"), i)),
           json_real_value(json_array_get(window, 0)), json_real_value(json_array_get(window, 1)),
           json_integer_value(json_array_get(json_object_get(difference, "toys"), i)));
}

static void print_scans(const struct arguments *arguments, const json_t *difference)
{
    size_t i;
    const json_t *dataset, *numbers;
    printf("A is %s, B is %s\n", arguments->paths[0], arguments->paths[1]);
    print_scan(0, difference);
    print_scan(1, difference);
    json_array_foreach(json_object_get(difference, "datasets"), i, dataset)
    {
        numbers = json_object_get(dataset, "numbers");
        printf("/%s: ", json_string_value(json_object_get(dataset, "name")));
        if (json_is_array(numbers))
            printf("%" JSON_INTEGER_FORMAT " numbers in A, %" JSON_INTEGER_FORMAT " in B\n",
                   json_integer_value(json_array_get(numbers, 0)),
                   json_integer_value(json_array_get(numbers, 1)));
        else
            printf("%" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT
                   " numbers differ, at most by %.6g\n",
                   json_integer_value(json_object_get(dataset, "differ")),
                   json_integer_value(numbers),
                   json_real_value(json_object_get(dataset, "largest")));
    }
    puts(json_is_true(json_object_get(difference, "equal")) ? "The results are equal."
                                                            : "The results differ.");
}

static int print(const struct arguments *arguments, json_t *difference)
{
    if (arguments->json) {
        json_dumpf(difference, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
        putchar('\n');
    } else if (json_object_get(difference, "kind") != NULL) {
        print_scans(arguments, difference);
    } else {
        print_text(arguments, difference);
    }
    return json_is_true(json_object_get(difference, "equal")) ? EXIT_DONE : EXIT_DIFFERENT;
}

/* Two composition scans. */
static int compare_scans(const struct arguments *arguments)
{
    struct scan_summary scans[2] = {{.toys = 0}, {.toys = 0}};
    json_t *difference = NULL;
    status done = STATUS_OK;
    for (size_t i = 0; done == STATUS_OK && i < 2; i++)
        done = scan_summary_read(&scans[i], arguments->paths[i]);
    if (done == STATUS_OK)
        difference = scan_difference_find(scans);
    if (done == STATUS_OK && difference == NULL)
        done = STATUS_NO_MEMORY;
    const int code = done == STATUS_OK ? print(arguments, difference) : (int)status_exit_code(done);
    json_decref(difference);
    scan_summary_fini(&scans[0]);
    scan_summary_fini(&scans[1]);
    return code;
}

static int compare(const struct arguments *arguments)
{
    if (scan_file_is(arguments->paths[0]) && scan_file_is(arguments->paths[1]))
        return compare_scans(arguments);
    struct result_tables results[2] = {{.pixels = 0}, {.pixels = 0}};
    json_t *difference = NULL;
    status done = STATUS_OK;
    for (size_t i = 0; done == STATUS_OK && i < 2; i++)
        done = result_tables_read(&results[i], arguments->paths[i]);
    if (done == STATUS_OK)
        done = difference_find(&difference, results, arguments->paths);
    const int code = done == STATUS_OK ? print(arguments, difference) : (int)status_exit_code(done);
    json_decref(difference);
    for (size_t i = 0; i < 2; i++)
        result_tables_fini(&results[i]);
    return code;
}

static error_t parse(int key, char *value, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    switch (key) {
    case 'j':
        arguments->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (arguments->n == 2)
            argp_error(state, "two result files, found also '%s'", value);
        arguments->paths[arguments->n++] = value;
        return 0;
    case ARGP_KEY_END:
        if (arguments->n < 2)
            argp_error(state, "which two result files A and B?");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int command_compare(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"json", 'j', NULL, 0, "print one JSON object", 0},
        {0},
    };
    static const struct argp help = {
        .options = options,
        .parser = parse,
        .args_doc = "A B",
        .doc = "Tell what differs between two result files: keys of the analysis, what became of "
               "the events, the clusters that stick out, significances, and by how much the "
               "numbers of each dataset differ at most. First whether the answers agree within "
               "what the trainings scatter. Clusters of different trainings are matched by their "
               "centres, where the images are the same. Ids, version and keys of the analysis "
               "without effect are told, but do not count. Ends with 0 if all numbers are equal, "
               "with 1 if they differ, with 2 if a file is no result."
               "\vExamples:\n"
               "  clusterscan compare results.h5 shadow.h5\n"
               "  clusterscan compare --json before.h5 after.h5\n"
               "  clusterscan compare composition.h5 other-seed.h5",
    };
    struct arguments arguments = {.n = 0};
    if (!arguments_parse(&help, argc, argv, &arguments))
        return EXIT_BAD_INPUT;
    return compare(&arguments);
}
