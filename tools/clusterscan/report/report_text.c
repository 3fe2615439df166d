/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/report/report_text.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/base/log.h"
#include "common/base/printable.h"
#include "common/base/status.h"

void report_print_text(const char *text)
{
    char shown[1000];
    text_printable(text, sizeof shown, shown);
    fputs(shown, stdout);
}

void report_print_run(const char *run_id, const char *version, bool final)
{
    printf("Run %s (clusterscan ", run_id);
    report_print_text(version);
    puts(final ? ")" : "), NOT FINAL: the run had not ended when this was written");
    putchar('\n');
}

static void print_count(uint64_t count, int width, const char *what)
{
    printf("%*" PRIu64 " %s\n", width, count, what);
}

void report_print_events(const struct tally *tally)
{
    print_count(tally->read, 12, "events read");
    print_count(tally->counted, 12, "counted (two jets, each with an image)");
    print_count(tally_dropped(tally), 12, "dropped");
    for (int r = 0; r < DROP_REASONS; r++)
        if (tally->dropped[r] > 0)
            print_count(tally->dropped[r], 16, drop_reason_text((enum drop_reason)r));
    if (tally->quarantined > 0)
        print_count(tally->quarantined, 12, "quarantined: no stage could work on them");
}

json_t *report_dropped_to_json(const struct tally *tally)
{
    json_t *dropped = json_object();
    for (int r = 0; r < DROP_REASONS; r++)
        json_object_set_new(dropped, drop_reason_name((enum drop_reason)r),
                            json_integer((json_int_t)tally->dropped[r]));
    return dropped;
}

int report_print_json(json_t *object, const char *run_id)
{
    if (object == NULL) {
        log_error("%s: cannot be told as JSON: a text in it is not UTF-8", run_id);
        return EXIT_RUN_FAILED;
    }
    json_dumpf(object, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    putchar('\n');
    json_decref(object);
    return EXIT_DONE;
}
