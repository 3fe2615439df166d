/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/records/drop_reason.h"

#include <assert.h>

#include "common/records/event_batch.h"

const char *drop_reason_name(enum drop_reason reason)
{
    static const char *const names[DROP_REASONS] = {
        [DROP_NOT_FINITE] = "not_finite", [DROP_NEGATIVE_PT] = "negative_pt",
        [DROP_ETA_RANGE] = "eta_range",   [DROP_NO_JET] = "no_jet",
        [DROP_ONE_JET] = "one_jet",       [DROP_EMPTY_IMAGE] = "empty_image",
        [DROP_TOO_MANY] = "too_many",
    };
    assert(reason < DROP_REASONS);
    return names[reason];
}

const char *drop_reason_text(enum drop_reason reason)
{
    static const char *const words[DROP_REASONS] = {
        [DROP_NOT_FINITE] = "a momentum or angle is not a finite number",
        [DROP_NEGATIVE_PT] = "a transverse momentum is negative",
        [DROP_ETA_RANGE] = "a particle lies beyond |eta| = 10",
        [DROP_NO_JET] = "no jet above pt_min",
        [DROP_ONE_JET] = "a single jet above pt_min",
        [DROP_EMPTY_IMAGE] = "a jet without anything inside its image",
        [DROP_TOO_MANY] = "more than 40000 particles",
    };
    static_assert(EVENT_PARTICLES_MAX == 40000, "the words say so");
    assert(reason < DROP_REASONS);
    return words[reason];
}
