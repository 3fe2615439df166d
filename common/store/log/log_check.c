/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/store/log/log_check.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/records/tally.h"
#include "common/store/disk/regular_file.h"

enum { DIGEST_BLOCK = 1 << 16 };

/* Digest of a whole file; false if it cannot be read. */
static bool file_digest(int fd, uint8_t digest[16])
{
    uint8_t block[DIGEST_BLOCK];
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, 16);
    ssize_t n;
    while ((n = read(fd, block, sizeof block)) > 0 || (n < 0 && errno == EINTR))
        if (n > 0)
            crypto_generichash_update(&state, block, (size_t)n);
    crypto_generichash_final(&state, digest, 16);
    return n == 0;
}

static status say(char why[LOG_FOLDER_WHY], const char *text)
{
    snprintf(why, LOG_FOLDER_WHY, "%s", text);
    return STATUS_BAD_SHAPE;
}

status log_check_file(const struct log_manifest *self, size_t i, const char *path,
                      char why[LOG_FOLDER_WHY])
{
    uint8_t digest[16];
    int fd;
    const status outcome = regular_file_open(&fd, path, O_RDONLY);
    if (outcome == STATUS_END)
        return say(why, "is missing");
    if (outcome != STATUS_OK)
        return outcome;
    const bool read = self->segments[i].verified || file_digest(fd, digest);
    close(fd);
    if (!read)
        return say(why, "cannot be read from its first byte to its last");
    if (!self->segments[i].verified && memcmp(digest, self->segments[i].digest, sizeof digest) != 0)
        return say(why, "is damaged: it does not fit the digest it was sealed with");
    return STATUS_OK;
}

static bool same_tally(const struct tally *a, const struct tally *b)
{
    return a->read == b->read && a->counted == b->counted && a->quarantined == b->quarantined &&
           memcmp(a->dropped, b->dropped, sizeof a->dropped) == 0;
}

/* NULL, or what is wrong with a batch of which next_seq[] of its source is expected. */
static const char *batch_fault(const struct log_manifest *self, const struct segment_codec *codec,
                               const void *batches, size_t b, const uint64_t next_seq[],
                               struct segment_account *account)
{
    codec->account(batches, b, account);
    if (account->source >= self->n_sources || account->seq != next_seq[account->source])
        return "it holds another batch than the manifest says";
    return codec->fault(batches, b, self->made_from);
}

/* Whether the batches are those that the manifest has noted; next_seq and rows [n_sources] of
 * what stands before them become those behind. */
static status check_batches(const struct log_manifest *self, const struct segment_codec *codec,
                            size_t i, const void *part, uint64_t next_seq[], uint64_t rows[],
                            struct tally *tally, char why[LOG_FOLDER_WHY])
{
    size_t n;
    const void *batches = codec->batches(part, &n);
    if (n != self->segments[i].batches)
        return say(why, "is damaged: it holds another number of batches than the manifest says");
    for (size_t b = 0; b < n; b++) {
        struct segment_account account;
        const char *fault = batch_fault(self, codec, batches, b, next_seq, &account);
        if (fault != NULL) {
            snprintf(why, LOG_FOLDER_WHY, "is damaged: batch %zu: %s", b, fault);
            return STATUS_BAD_SHAPE;
        }
        next_seq[account.source]++;
        rows[account.source] += account.rows.read;
        tally_add(tally, &account.rows);
    }
    for (uint32_t s = 0; s < self->n_sources; s++)
        if (next_seq[s] != log_manifest_next_seq(self, i + 1, s))
            return say(why, "is damaged: it holds other batches than the manifest says");
    return STATUS_OK;
}

/* Whether the counts of the segment add up to the tally noted when it was sealed. */
static status compare(const struct log_manifest *self, size_t i, const uint64_t rows[],
                      const struct tally *tally, const uint8_t records[16],
                      char why[LOG_FOLDER_WHY])
{
    const struct tally noted = log_manifest_tally(self, i + 1);
    bool same = same_tally(tally, &noted);
    for (uint32_t s = 0; s < self->n_sources; s++)
        same = same && rows[s] == log_manifest_rows(self, i + 1, s);
    if (!same)
        return say(why, "is damaged: its rows are not those that the manifest has counted");
    return memcmp(records, self->segments[i].records, sizeof self->segments[i].records) == 0
               ? STATUS_OK
               : say(why, "is damaged: its records are not those that were sealed");
}

static void note(struct log_manifest *self, size_t i, const uint64_t rows[],
                 const struct tally *tally, const uint8_t records[16])
{
    self->tally[i] = *tally;
    memcpy(self->rows + i * self->n_sources, rows, self->n_sources * sizeof *rows);
    memcpy(self->segments[i].records, records, sizeof self->segments[i].records);
}

status log_check_records(struct log_manifest *self, const struct segment_codec *codec, size_t i,
                         const void *part, char why[LOG_FOLDER_WHY])
{
    const uint32_t n = self->n_sources;
    uint8_t records[16];
    uint64_t *next_seq = calloc((size_t)2 * n, sizeof *next_seq);
    if (next_seq == NULL)
        return STATUS_NO_MEMORY;
    uint64_t *rows = next_seq + n;
    for (uint32_t s = 0; s < n; s++) {
        next_seq[s] = log_manifest_next_seq(self, i, s);
        rows[s] = log_manifest_rows(self, i, s);
    }
    struct tally tally = log_manifest_tally(self, i);
    status outcome = check_batches(self, codec, i, part, next_seq, rows, &tally, why);
    if (outcome == STATUS_OK) {
        size_t batches;
        const void *all = codec->batches(part, &batches);
        outcome = codec->digest(batches, all, records);
    }
    if (outcome == STATUS_OK && self->tallied)
        outcome = compare(self, i, rows, &tally, records, why);
    else if (outcome == STATUS_OK)
        note(self, i, rows, &tally, records);
    free(next_seq);
    return outcome;
}
