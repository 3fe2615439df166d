/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "stages/mls_scorer/low_counts.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/log/log.h"

enum { NAMED_MAX = 5, PLACES_SIZE = 400 };

/* Places for people, the first few by name. */
struct places {
    size_t n;
    char text[PLACES_SIZE];
};

static bool has_room(const struct places *self)
{
    return self->n < NAMED_MAX;
}

static void add(struct places *self, const char *place)
{
    const size_t used = strlen(self->text);
    if (has_room(self))
        snprintf(self->text + used, sizeof self->text - used, "%s%s", used > 0 ? "; " : "", place);
    self->n++;
}

static const char *rest(const struct places *self)
{
    return has_room(self) || self->n == NAMED_MAX ? "" : "; ...";
}

static void look_at_cluster(const struct spectra_record *spectra, uint32_t member, uint32_t cluster,
                            struct places *low, struct places *empty)
{
    const uint64_t *counts =
        spectra->counts + ((size_t)member * spectra->clusters + cluster) * spectra->bins;
    char place[80];
    uint64_t jets = 0;
    for (uint32_t bin = 0; bin < spectra->bins; bin++)
        jets += counts[bin];
    if (jets == 0) {
        snprintf(place, sizeof place, "member %" PRIu32 ", cluster %" PRIu32, member, cluster);
        add(empty, place);
    }
    for (uint32_t bin = 0; jets > 0 && bin < spectra->bins; bin++) {
        if (counts[bin] >= LOW_COUNT)
            continue;
        snprintf(place, sizeof place,
                 "member %" PRIu32 ", cluster %" PRIu32 ", bin %" PRIu32 ": %" PRIu64, member,
                 cluster, bin, counts[bin]);
        add(low, place);
    }
}

void low_counts_tell(const struct selection_record *selection)
{
    const struct spectra_record *spectra = &selection->summed;
    struct places low = {0};
    struct places empty = {0};
    for (uint32_t member = 0; member < spectra->members; member++)
        for (uint32_t cluster = 0; cluster < spectra->clusters; cluster++)
            look_at_cluster(spectra, member, cluster, &low, &empty);
    const size_t cells = (size_t)spectra->members * spectra->clusters * spectra->bins;
    if (empty.n > 0)
        log_warning("%zu of %zu clusters have no jet in the mass window; z is 0 there, and they "
                    "count as depleted (%s%s)",
                    empty.n, (size_t)spectra->members * spectra->clusters, empty.text,
                    rest(&empty));
    if (low.n > 0)
        log_warning("%zu of %zu cluster-bins hold fewer than %d jets, too few for a standardised "
                    "deviation to be normal (%s%s)",
                    low.n, cells, LOW_COUNT, low.text, rest(&low));
}
