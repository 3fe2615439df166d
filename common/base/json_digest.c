/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/base/json_digest.h"

#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

status json_digest(const json_t *value, char out[JSON_DIGEST_SIZE])
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
    if (text == NULL)
        return STATUS_NO_MEMORY;
    uint8_t digest[JSON_DIGEST_SIZE / 2];
    crypto_generichash(digest, sizeof digest, (const uint8_t *)text, strlen(text), NULL, 0);
    sodium_bin2hex(out, JSON_DIGEST_SIZE, digest, sizeof digest);
    free(text);
    return STATUS_OK;
}
