/* SPDX-License-Identifier: GPL-3.0-or-later */
/* clusterscan validate: exit codes, the summary and its memory figures, the JSON. */
#include <jansson.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/check_main.h"

#define PROGRAM BIN_FOLDER "/clusterscan"
#define LHCO    SOURCE_FOLDER "/topology/lhco.yaml"
#define REPLAY  SOURCE_FOLDER "/topology/replay.yaml"

/* Runs `clusterscan validate ARGUMENTS` with standard error in the output; returns the exit code.
 */
static int validate(const char *arguments, size_t size, char output[])
{
    char command[1000];
    snprintf(command, sizeof command, "'%s' validate %s 2>&1", PROGRAM, arguments);
    FILE *pipe = popen(command, "r");
    ck_assert_ptr_nonnull(pipe);
    output[fread(output, 1, size - 1, pipe)] = '\0';
    const int end = pclose(pipe);
    ck_assert(WIFEXITED(end));
    return WEXITSTATUS(end);
}

static void assert_says(const char *output, const char *what)
{
    ck_assert_msg(strstr(output, what) != NULL, "no '%s' in:\n%s", what, output);
}

START_TEST(a_good_topology_is_told_with_its_memory)
{
    char output[8000];
    ck_assert_int_eq(validate("'" LHCO "'", sizeof output, output), 0);
    assert_says(output, "'lhco', 7 stages, sockets: ipc\n");
    assert_says(output, "spectra  spectrum_accumulator       2  spectra      image_batch from log, "
                        "model from trainer\n");
    /* By hand: an event batch 512 x (5 + 12 x 700) B, an image batch 512 x (13 + 2 x (34 + 6 x
     * 200)) B; two of the one and one of the other in a worker, 128 in the log, 8 in what follows
     * it. */
    assert_says(output, "each worker   9.88 MB: 2 credits from 1 source x a batch of 512 "
                        "events (4.3 MB), and its images\n");
    assert_says(output, "the log       163 MB: room for 128 image batches (1.27 MB)\n");
    assert_says(output, "each follower 10.2 MB: 8 image batches ahead\n");
    assert_says(output, "about 464 B an event with m_jj in [3000, 3100) GeV");
    /* design section 2: 96 kB for 15 members */
    assert_says(
        output,
        "one slice       96 kB in a file right of the log: 15 members x 50 clusters x 16 bins "
        "x 8 B\n");
}
END_TEST

START_TEST(a_replay_has_no_sources_to_tell_of)
{
    char output[8000];
    ck_assert_int_eq(validate("'" REPLAY "'", sizeof output, output), 0);
    assert_says(output, "each follower");
    ck_assert_ptr_null(strstr(output, "source"));
    ck_assert_ptr_null(strstr(output, "room for"));
}
END_TEST

START_TEST(the_json_holds_the_topology_with_all_defaults)
{
    char output[16000];
    ck_assert_int_eq(validate("'" LHCO "' --json --set stages.log.settings.segment=37 "
                              "--set analysis.training.ensemble=7",
                              sizeof output, output),
                     0);
    json_t *all = json_loads(output, 0, NULL);
    ck_assert_ptr_nonnull(all);
    const json_t *log = json_array_get(json_object_get(all, "stages"), 2);
    ck_assert_str_eq(json_string_value(json_object_get(log, "run")), "image_log");
    ck_assert_int_eq(
        json_integer_value(json_object_get(json_object_get(log, "settings"), "window")), 148);
    ck_assert_int_eq(
        json_integer_value(json_object_get(json_object_get(all, "memory"), "slice_item_bytes")),
        7 * 50 * 16 * 8);
    json_decref(all);
}
END_TEST

START_TEST(a_broken_topology_ends_with_2_and_every_mistake)
{
    char output[8000];
    ck_assert_int_eq(validate("'" LHCO "' --set name=7 --set version=2", sizeof output, output), 2);
    ck_assert_str_eq(output,
                     "--set version=2: error: version must be 1, not 2\n"
                     "--set name=7: error: name must be a printable text of 1 to 64 bytes, not "
                     "7\n");
    ck_assert_int_eq(validate("/nobody/home.yaml", sizeof output, output), 2);
    ck_assert_str_eq(output, "error: /nobody/home.yaml: No such file or directory\n");
}
END_TEST

START_TEST(wrong_usage_ends_with_2)
{
    char output[8000];
    ck_assert_int_eq(validate("", sizeof output, output), 2);
    assert_says(output, "clusterscan validate: which topology? Name its file\n");
    ck_assert_int_eq(validate("a b", sizeof output, output), 2);
    assert_says(output, "'b' is too many\n");
    ck_assert_int_eq(validate("--nonsense a", sizeof output, output), 2);
    ck_assert_int_eq(validate("a --set", sizeof output, output), 2);
}
END_TEST

START_TEST(help_shows_examples)
{
    char output[8000];
    ck_assert_int_eq(validate("--help", sizeof output, output), 0);
    assert_says(output, "Examples:\n  clusterscan validate topology/lhco.yaml\n");
    assert_says(output, "--set=KEY.PATH=VALUE");
}
END_TEST

int main(void)
{
    if (access(PROGRAM, X_OK) != 0) {
        fputs("skipped: the program clusterscan has not been built\n", stderr);
        return EXIT_SKIPPED;
    }
    TCase *cases = tcase_create("validate");
    tcase_add_test(cases, a_good_topology_is_told_with_its_memory);
    tcase_add_test(cases, a_replay_has_no_sources_to_tell_of);
    tcase_add_test(cases, the_json_holds_the_topology_with_all_defaults);
    tcase_add_test(cases, a_broken_topology_ends_with_2_and_every_mistake);
    tcase_add_test(cases, wrong_usage_ends_with_2);
    tcase_add_test(cases, help_shows_examples);
    return run_case(cases, "clusterscan.validate");
}
