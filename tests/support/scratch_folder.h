/* SPDX-License-Identifier: GPL-3.0-or-later */
/* scratch_folder: a folder of a test's own, and small deeds with files in it. */
#ifndef TESTS_SUPPORT_SCRATCH_FOLDER_H
#define TESTS_SUPPORT_SCRATCH_FOLDER_H

#include <check.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The folder, made by scratch_make (a checked fixture) and removed by scratch_remove. */
static char scratch[256];

static inline void scratch_make(void)
{
    const char *base = getenv("TMPDIR");
    snprintf(scratch, sizeof scratch, "%s/clusterscan-test-XXXXXX", base != NULL ? base : P_tmpdir);
    ck_assert_ptr_nonnull(mkdtemp(scratch));
}

static inline int scratch_remove_one(const char *path, const struct stat *info, int flag,
                                     struct FTW *at)
{
    (void)info, (void)flag, (void)at;
    return remove(path);
}

static inline void scratch_remove_tree(const char *path)
{
    nftw(path, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void scratch_remove(void)
{
    scratch_remove_tree(scratch);
}

/* Path of `name` in the folder; one of eight buffers that are used in turn. */
static inline const char *scratch_path(const char *name)
{
    static char paths[8][512];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", scratch, name);
    return path;
}

static inline void file_put(const char *path, size_t size, const void *bytes)
{
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
}

/* The bytes of a file, to be given to free. */
static inline uint8_t *file_bytes(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s cannot be read", path);
    ck_assert_int_eq(fseek(file, 0, SEEK_END), 0);
    *size = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(*size + 1);
    ck_assert_ptr_nonnull(bytes);
    ck_assert_uint_eq(fread(bytes, 1, *size, file), *size);
    bytes[*size] = 0;
    fclose(file);
    return bytes;
}

static inline int file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

/* Turns one bit of the byte at `at`. */
static inline void file_flip(const char *path, size_t at)
{
    size_t size;
    uint8_t *bytes = file_bytes(path, &size);
    ck_assert_uint_lt(at, size);
    bytes[at] ^= 4;
    file_put(path, size, bytes);
    free(bytes);
}

#endif
