/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is read is trusted in nothing. */
#include "common/store/results/result_attributes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/store/disk/hdf5_util.h"

/* ---- writing ---- */

static bool write_text(hid_t file, const char *name, const char *text)
{
    const hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    hid_t attribute = H5I_INVALID_HID;
    bool done = false;
    if (type >= 0 && space >= 0 && H5Tset_size(type, H5T_VARIABLE) >= 0 &&
        H5Tset_cset(type, H5T_CSET_UTF8) >= 0)
        attribute = H5Acreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute >= 0) {
        done = H5Awrite(attribute, type, &text) >= 0;
        H5Aclose(attribute);
    }
    if (space >= 0)
        H5Sclose(space);
    if (type >= 0)
        H5Tclose(type);
    return done;
}

static bool write_number(hid_t file, const char *name, uint64_t value)
{
    const hid_t space = H5Screate(H5S_SCALAR);
    const hid_t attribute = H5Acreate2(file, name, H5T_STD_U64LE, space, H5P_DEFAULT, H5P_DEFAULT);
    bool done = false;
    if (attribute >= 0) {
        done = H5Awrite(attribute, H5T_NATIVE_UINT64, &value) >= 0;
        H5Aclose(attribute);
    }
    if (space >= 0)
        H5Sclose(space);
    return done;
}

static bool write_dropped(const struct result_access *to, const struct tally *tally)
{
    const char *reasons[DROP_REASONS];
    for (int r = 0; r < DROP_REASONS; r++)
        reasons[r] = drop_reason_name((enum drop_reason)r);
    return result_make_group(to, RESULT_DROPPED_REASON) &&
           result_write_texts(to, RESULT_DROPPED_REASON, reasons) &&
           result_write(to, RESULT_DROPPED_COUNT, tally->dropped);
}

bool result_attributes_write(const struct result_access *to, const struct result_origin *from)
{
    const struct tally *tally = &from->tally;
    return write_text(to->file, "run_id", from->run_id) &&
           write_text(to->file, "log_id", from->log_id) &&
           write_text(to->file, "version", from->version) &&
           write_text(to->file, "analysis", from->analysis) &&
           write_number(to->file, "events_read", tally->read) &&
           write_number(to->file, "events_counted", tally->counted) &&
           write_number(to->file, "events_dropped", tally_dropped(tally)) &&
           write_number(to->file, "events_quarantined", tally->quarantined) &&
           write_number(to->file, "final", from->final ? 1 : 0) && write_dropped(to, tally);
}

/* ---- reading ---- */

static status bad_attribute(const struct result_access *source, const char *name)
{
    log_error("%s: attribute %s is missing or of a wrong type: no result file of clusterscan",
              source->path, name);
    return STATUS_BAD_INPUT;
}

static bool is_variable_text(hid_t attribute, hid_t type)
{
    const hid_t space = H5Aget_space(attribute);
    const bool scalar = space >= 0 && H5Sget_simple_extent_type(space) == H5S_SCALAR;
    if (space >= 0)
        H5Sclose(space);
    return scalar && H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) > 0;
}

static status read_text(const struct result_access *source, const char *name, char **out)
{
    char *text = NULL;
    const hid_t attribute = H5Aopen(source->file, name, H5P_DEFAULT);
    const hid_t type = attribute >= 0 ? H5Aget_type(attribute) : H5I_INVALID_HID;
    if (type >= 0 && is_variable_text(attribute, type) && H5Aread(attribute, type, &text) >= 0 &&
        text != NULL) {
        *out = strdup(text);
        H5free_memory(text);
    }
    if (type >= 0)
        H5Tclose(type);
    if (attribute >= 0)
        H5Aclose(attribute);
    if (text == NULL)
        return bad_attribute(source, name);
    return *out != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static status read_number(const struct result_access *source, const char *name, uint64_t *out)
{
    bool done = false;
    const hid_t attribute = H5Aopen(source->file, name, H5P_DEFAULT);
    const hid_t type = attribute >= 0 ? H5Aget_type(attribute) : H5I_INVALID_HID;
    const hid_t space = attribute >= 0 ? H5Aget_space(attribute) : H5I_INVALID_HID;
    if (type >= 0 && space >= 0 && H5Tget_class(type) == H5T_INTEGER &&
        H5Sget_simple_extent_type(space) == H5S_SCALAR)
        done = H5Aread(attribute, H5T_NATIVE_UINT64, out) >= 0;
    if (space >= 0)
        H5Sclose(space);
    if (type >= 0)
        H5Tclose(type);
    if (attribute >= 0)
        H5Aclose(attribute);
    return done ? STATUS_OK : bad_attribute(source, name);
}

enum { ID_DIGITS = 32 };

static bool is_id(const char *text)
{
    return strlen(text) == ID_DIGITS && strspn(text, "0123456789abcdef") == ID_DIGITS;
}

/* One id, or several with commas between. */
static bool are_ids(const char *text)
{
    while (strspn(text, "0123456789abcdef") == ID_DIGITS && text[ID_DIGITS] == ',')
        text += ID_DIGITS + 1;
    return is_id(text);
}

/* An id names folders and stands in pictures: nothing but hex digits will do. */
static status read_id(const struct result_access *source, const char *name,
                      bool fits(const char *text), char **out)
{
    const status outcome = read_text(source, name, out);
    if (outcome != STATUS_OK)
        return outcome;
    if (fits(*out))
        return STATUS_OK;
    log_error("%s: attribute %s is '%.60s', expected 32 hex digits: no result file of clusterscan",
              source->path, name, *out);
    return STATUS_BAD_INPUT;
}

static status read_final(struct result_attributes *out, const struct result_access *source)
{
    uint64_t final = 1;
    status outcome = STATUS_OK;
    if (H5Aexists(source->file, "final") > 0)
        outcome = read_number(source, "final", &final);
    out->final = final != 0;
    return outcome;
}

static status read_attributes(struct result_attributes *out, const struct result_access *source,
                              uint64_t *dropped)
{
    status outcome = read_id(source, "run_id", is_id, &out->run_id);
    if (outcome == STATUS_OK && H5Aexists(source->file, "log_id") > 0)
        outcome = read_id(source, "log_id", are_ids, &out->log_id);
    if (outcome == STATUS_OK)
        outcome = read_final(out, source);
    if (outcome == STATUS_OK)
        outcome = read_text(source, "version", &out->version);
    if (outcome == STATUS_OK)
        outcome = read_text(source, "analysis", &out->analysis);
    if (outcome == STATUS_OK)
        outcome = read_number(source, "events_read", &out->tally.read);
    if (outcome == STATUS_OK)
        outcome = read_number(source, "events_counted", &out->tally.counted);
    if (outcome == STATUS_OK)
        outcome = read_number(source, "events_dropped", dropped);
    if (outcome == STATUS_OK)
        outcome = read_number(source, "events_quarantined", &out->tally.quarantined);
    return outcome;
}

static status take_count(struct result_attributes *out, const struct result_access *source,
                         const char *reason, uint64_t count)
{
    for (int r = 0; r < DROP_REASONS; r++) {
        if (strcmp(reason, drop_reason_name((enum drop_reason)r)) == 0) {
            out->tally.dropped[r] += count;
            return STATUS_OK;
        }
    }
    log_error("%s: /%s names '%s', which this version does not know", source->path,
              result_dataset(RESULT_DROPPED_REASON)->path, reason);
    return STATUS_BAD_INPUT;
}

static status read_dropped(struct result_attributes *out, struct result_access *source)
{
    struct result_texts reasons;
    uint64_t *counts = NULL;
    status outcome = result_read_texts(source, RESULT_DROPPED_REASON, &reasons);
    if (outcome == STATUS_OK)
        outcome = result_read(source, RESULT_DROPPED_COUNT, &counts);
    for (size_t i = 0; outcome == STATUS_OK && i < reasons.n; i++)
        outcome = take_count(out, source, reasons.text + i * reasons.size, counts[i]);
    free(counts);
    free(reasons.text);
    return outcome;
}

static status check_tally(const struct result_attributes *out, const struct result_access *source,
                          uint64_t dropped)
{
    if (tally_adds_up(&out->tally) && tally_dropped(&out->tally) == dropped)
        return STATUS_OK;
    log_error("%s: damaged: %" PRIu64 " events read, but %" PRIu64 " counted + %" PRIu64
              " dropped + %" PRIu64 " quarantined",
              source->path, out->tally.read, out->tally.counted, dropped, out->tally.quarantined);
    return STATUS_BAD_INPUT;
}

status result_attributes_read(struct result_attributes *out, struct result_access *from)
{
    uint64_t dropped = 0;
    *out = (struct result_attributes){0};
    status outcome = read_attributes(out, from, &dropped);
    if (outcome == STATUS_OK)
        outcome = read_dropped(out, from);
    return outcome == STATUS_OK ? check_tally(out, from, dropped) : outcome;
}

void result_attributes_fini(struct result_attributes *self)
{
    free(self->run_id);
    free(self->log_id);
    free(self->version);
    free(self->analysis);
    *self = (struct result_attributes){0};
}

bool result_attributes_owner(const char *path, char run_id[33], bool *final)
{
    struct result_attributes about = {0};
    hdf5_silence();
    hdf5_guard(path);
    const hid_t access = hdf5_file_access();
    struct result_access source = {.path = path};
    source.file = access >= 0 ? H5Fopen(path, H5F_ACC_RDONLY, access) : H5I_INVALID_HID;
    bool ours = source.file >= 0 && H5Aexists(source.file, "run_id") > 0 &&
                read_text(&source, "run_id", &about.run_id) == STATUS_OK && is_id(about.run_id) &&
                read_final(&about, &source) == STATUS_OK;
    if (ours)
        snprintf(run_id, 33, "%s", about.run_id);
    *final = ours && about.final;
    if (source.file >= 0)
        H5Fclose(source.file);
    if (access >= 0)
        H5Pclose(access);
    hdf5_guard(NULL);
    result_attributes_fini(&about);
    return ours;
}
