/* SPDX-License-Identifier: GPL-3.0-or-later */
/* json_digest: what a JSON value says, in 32 hex digits. */
#ifndef COMMON_BASE_JSON_DIGEST_H
#define COMMON_BASE_JSON_DIGEST_H

#include <jansson.h>

#include "common/base/status.h"

enum { JSON_DIGEST_SIZE = 33 };

/* BLAKE2b-128 of the compact text with sorted keys and numbers of 17 digits, in lower-case hex.
 * STATUS_NO_MEMORY. */
MUST_CHECK status json_digest(const json_t *value, char out[JSON_DIGEST_SIZE]);

#endif
