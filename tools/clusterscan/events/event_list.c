/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/events/event_list.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "common/base/log.h"
#include "common/store/disk/atomic_file.h"
#include "common/store/disk/hdf5_util.h"

/* --- CSV ---------------------------------------------------------------------------------- */

static void print_text(const char *text, FILE *to)
{
    if (strpbrk(text, ",\"") == NULL) {
        fputs(text, to);
        return;
    }
    putc('"', to);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            putc('"', to);
        putc(*text, to);
    }
    putc('"', to);
}

static void print_event(const struct event_list *self, const struct anomalous_event *event,
                        FILE *to)
{
    const struct event_names *names = self->names;
    const struct event_row origin = event_names_find(names, event->source, event->row);
    print_text(names->source[event->source].stage, to);
    putc(',', to);
    if (origin.file < names->n_files)
        print_text(names->path[origin.file], to);
    fprintf(to, ",%" PRIu64 ",%.9g,", origin.row, event->m_jj); /* 9 digits: a float, exactly */
    if (event->label >= 0)
        fprintf(to, "%d", event->label);
    fprintf(to, ",%" PRIu32, event->agreeing);
    for (size_t m = 0; m < self->members; m++)
        fprintf(to, ",%u", event->rich[m]);
    putc('\n', to);
}

void event_list_print(const struct event_list *self, FILE *to)
{
    fputs("source,file,row,m_jj,label,members", to);
    for (size_t m = 0; m < self->members; m++)
        fprintf(to, ",jets_%zu", m);
    putc('\n', to);
    for (size_t i = 0; i < self->events->n && ferror(to) == 0; i++)
        print_event(self, &self->events->event[i], to);
}

/* An atomic_file as a stream; what its writes came to. */
struct sink {
    atomic_file *file;
    status done;
};

static ssize_t pour(void *cookie, const char *bytes, size_t size)
{
    struct sink *sink = cookie;
    if (sink->done == STATUS_OK)
        sink->done = atomic_file_write(sink->file, size, bytes);
    return sink->done == STATUS_OK ? (ssize_t)size : 0;
}

static void log_no_space(status done, const char *path)
{
    if (done == STATUS_NO_SPACE)
        log_error("%s: cannot be written: no space left", path);
}

status event_list_write_csv(const struct event_list *self, const char *path)
{
    struct sink sink = {.done = STATUS_OK};
    sink.done = atomic_file_create(&sink.file, path);
    FILE *to = NULL;
    if (sink.done == STATUS_OK) {
        to = fopencookie(&sink, "w", (cookie_io_functions_t){.write = pour});
        sink.done = to != NULL ? STATUS_OK : STATUS_NO_MEMORY;
    }
    if (to != NULL) {
        event_list_print(self, to);
        if (fclose(to) != 0 && sink.done == STATUS_OK)
            sink.done = STATUS_IO;
    }
    if (sink.done == STATUS_OK)
        sink.done = atomic_file_commit(&sink.file);
    else
        atomic_file_destroy(&sink.file);
    log_no_space(sink.done, path);
    return sink.done;
}

/* --- HDF5 --------------------------------------------------------------------------------- */

/* The columns of the table, [n] each. */
struct columns {
    uint32_t *source;
    int32_t *file;
    uint64_t *row;
    float *m_jj;
    int8_t *label;
    uint32_t *members;
    uint8_t *jets; /* [n, members] */
};

static void columns_fini(struct columns *self)
{
    free(self->source);
    free(self->file);
    free(self->row);
    free(self->m_jj);
    free(self->label);
    free(self->members);
    free(self->jets);
}

static status columns_init(struct columns *out, size_t n, size_t members)
{
    *out = (struct columns){.source = calloc(n + 1, sizeof *out->source),
                            .file = calloc(n + 1, sizeof *out->file),
                            .row = calloc(n + 1, sizeof *out->row),
                            .m_jj = calloc(n + 1, sizeof *out->m_jj),
                            .label = calloc(n + 1, sizeof *out->label),
                            .members = calloc(n + 1, sizeof *out->members),
                            .jets = calloc(n * members + 1, sizeof *out->jets)};
    const bool all = out->source != NULL && out->file != NULL && out->row != NULL &&
                     out->m_jj != NULL && out->label != NULL && out->members != NULL &&
                     out->jets != NULL;
    return all ? STATUS_OK : STATUS_NO_MEMORY;
}

static void columns_fill(struct columns *self, const struct event_list *list)
{
    for (size_t i = 0; i < list->events->n; i++) {
        const struct anomalous_event *event = &list->events->event[i];
        const struct event_row origin = event_names_find(list->names, event->source, event->row);
        self->source[i] = event->source;
        self->file[i] = origin.file < list->names->n_files ? (int32_t)origin.file : -1;
        self->row[i] = origin.row;
        self->m_jj[i] = (float)event->m_jj;
        self->label[i] = event->label;
        self->members[i] = event->agreeing;
        memcpy(self->jets + i * list->members, event->rich, list->members);
    }
}

/* A table of texts of one length, filled up with zeros. */
static bool write_texts(hid_t file, const char *name, size_t n, char *const text[])
{
    size_t size = 1;
    for (size_t i = 0; i < n; i++)
        size = strlen(text[i]) > size ? strlen(text[i]) : size;
    char *packed = calloc(n + 1, size);
    const hsize_t rows = n;
    const hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate_simple(1, &rows, NULL);
    const hid_t made = hdf5_dataset_properties();
    hid_t dataset = H5I_INVALID_HID;
    if (packed != NULL && type >= 0 && space >= 0 && made >= 0 && H5Tset_size(type, size) >= 0 &&
        H5Tset_cset(type, H5T_CSET_UTF8) >= 0 && H5Tset_strpad(type, H5T_STR_NULLPAD) >= 0)
        dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT, made, H5P_DEFAULT);
    for (size_t i = 0; packed != NULL && i < n; i++)
        memcpy(packed + i * size, text[i], strlen(text[i]));
    const bool done =
        dataset >= 0 && H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, packed) >= 0;
    if (dataset >= 0)
        H5Dclose(dataset);
    if (made >= 0)
        H5Pclose(made);
    if (space >= 0)
        H5Sclose(space);
    if (type >= 0)
        H5Tclose(type);
    free(packed);
    return done;
}

static bool write_names(hid_t file, const struct event_names *names)
{
    char **stage = calloc(names->n_sources + 1, sizeof *stage);
    for (size_t s = 0; stage != NULL && s < names->n_sources; s++)
        stage[s] = names->source[s].stage;
    const bool done = stage != NULL && write_texts(file, "sources", names->n_sources, stage) &&
                      write_texts(file, "files", names->n_files, names->path);
    free(stage);
    return done;
}

static bool write_columns(hid_t file, const struct event_list *list, const struct columns *columns)
{
    const hsize_t dims[] = {list->events->n, list->members};
    return hdf5_write(file, "source", HDF5_U32, 1, dims, columns->source) &&
           hdf5_write(file, "file", HDF5_I32, 1, dims, columns->file) &&
           hdf5_write(file, "row", HDF5_U64, 1, dims, columns->row) &&
           hdf5_write(file, "m_jj", HDF5_F32, 1, dims, columns->m_jj) &&
           hdf5_write(file, "label", HDF5_I8, 1, dims, columns->label) &&
           hdf5_write(file, "members", HDF5_U32, 1, dims, columns->members) &&
           hdf5_write(file, "jets", HDF5_U8, 2, dims, columns->jets) &&
           write_names(file, list->names);
}

/* The whole file in memory. */
static status build(const struct event_list *self, uint8_t **bytes, size_t *size)
{
    struct columns columns;
    status done = columns_init(&columns, self->events->n, self->members);
    hdf5_silence();
    const hid_t file = done == STATUS_OK ? hdf5_memory_file() : H5I_INVALID_HID;
    if (done == STATUS_OK) {
        columns_fill(&columns, self);
        done = file >= 0 && write_columns(file, self, &columns) ? STATUS_OK : STATUS_IO;
    }
    if (done == STATUS_OK)
        done = hdf5_memory_file_bytes(file, bytes, size);
    if (file >= 0)
        H5Fclose(file);
    columns_fini(&columns);
    return done;
}

status event_list_write_hdf5(const struct event_list *self, const char *path)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    status done = build(self, &bytes, &size);
    if (done != STATUS_OK)
        log_error("%s: cannot be written: %s", path,
                  done == STATUS_NO_MEMORY ? "out of memory" : "HDF5 refused");
    else {
        done = atomic_file_replace(path, size, bytes);
        log_no_space(done, path);
    }
    free(bytes);
    return done;
}
