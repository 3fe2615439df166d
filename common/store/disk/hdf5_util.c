/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/store/disk/hdf5_util.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/log.h"

size_t hdf5_element_size(enum hdf5_element element)
{
    static const size_t sizes[] = {
        [HDF5_I8] = 1,  [HDF5_U8] = 1,  [HDF5_U16] = 2, [HDF5_I32] = 4,  [HDF5_U32] = 4,
        [HDF5_U64] = 8, [HDF5_F32] = 4, [HDF5_F64] = 8, [HDF5_TEXT] = 0,
    };
    return sizes[element];
}

const char *hdf5_element_name(enum hdf5_element element)
{
    static const char *const names[] = {
        [HDF5_I8] = "i8",   [HDF5_U8] = "u8",   [HDF5_U16] = "u16",
        [HDF5_I32] = "i32", [HDF5_U32] = "u32", [HDF5_U64] = "u64",
        [HDF5_F32] = "f32", [HDF5_F64] = "f64", [HDF5_TEXT] = "text",
    };
    return names[element];
}

hid_t hdf5_file_type(enum hdf5_element element)
{
    switch (element) {
    case HDF5_I8:
        return H5T_STD_I8LE;
    case HDF5_U8:
        return H5T_STD_U8LE;
    case HDF5_U16:
        return H5T_STD_U16LE;
    case HDF5_I32:
        return H5T_STD_I32LE;
    case HDF5_U32:
        return H5T_STD_U32LE;
    case HDF5_U64:
        return H5T_STD_U64LE;
    case HDF5_F32:
        return H5T_IEEE_F32LE;
    case HDF5_F64:
        return H5T_IEEE_F64LE;
    case HDF5_TEXT:
        break;
    }
    return H5I_INVALID_HID;
}

hid_t hdf5_memory_type(enum hdf5_element element)
{
    switch (element) {
    case HDF5_I8:
        return H5T_NATIVE_INT8;
    case HDF5_U8:
        return H5T_NATIVE_UINT8;
    case HDF5_U16:
        return H5T_NATIVE_UINT16;
    case HDF5_I32:
        return H5T_NATIVE_INT32;
    case HDF5_U32:
        return H5T_NATIVE_UINT32;
    case HDF5_U64:
        return H5T_NATIVE_UINT64;
    case HDF5_F32:
        return H5T_NATIVE_FLOAT;
    case HDF5_F64:
        return H5T_NATIVE_DOUBLE;
    case HDF5_TEXT:
        break;
    }
    return H5I_INVALID_HID;
}

static const char *volatile guarded; /* the file that HDF5 works on */

static void write_words(const char *words)
{
    if (write(STDERR_FILENO, words, strlen(words)) < 0)
        return; /* nothing more can be done about it */
}

/* Nothing but what a signal handler may call. */
static void on_crash(int number)
{
    const char *path = guarded;
    if (path == NULL) { /* somebody else's crash: as it would have been */
        signal(number, SIG_DFL);
        raise(number);
        return;
    }
    write_words("error: ");
    write_words(path);
    write_words(": the HDF5 library crashed reading it: the file is damaged or hostile\n");
    _exit(EXIT_BAD_INPUT);
}

static void catch_crashes(void)
{
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGABRT};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct sigaction action;
        const struct sigaction ours = {.sa_handler = on_crash, .sa_flags = SA_NODEFER};
        /* A sanitizer has its own. */
        if (sigaction(numbers[i], NULL, &action) == 0 && action.sa_handler == SIG_DFL)
            sigaction(numbers[i], &ours, NULL);
    }
}

void hdf5_guard(const char *path)
{
    static bool catching;
    if (!catching)
        catch_crashes();
    catching = true;
    guarded = path;
}

void hdf5_silence(void)
{
    /* HDF5's own clean-up at exit crashes over a file that it could not flush (a full disk). We
     * close what we open. Does nothing once the library is in use. */
    H5dont_atexit();
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

hid_t hdf5_file_access(void)
{
    hdf5_silence();
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (access >= 0 && H5Pset_file_locking(access, false, true) >= 0 &&
        H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) >= 0)
        return access;
    if (access >= 0)
        H5Pclose(access);
    return H5I_INVALID_HID;
}

/* HDF5 does not tell a missing file from a damaged one, and would wait for a pipe for ever. */
status hdf5_check_regular(const char *path, const char *expected)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat found;
    if (fd < 0 || fstat(fd, &found) != 0) {
        log_error("%s: cannot be opened: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return STATUS_BAD_INPUT;
    }
    close(fd);
    if (S_ISREG(found.st_mode) && found.st_size > 0)
        return STATUS_OK;
    log_error("%s: found %s, expected %s", path,
              S_ISREG(found.st_mode)   ? "an empty file"
              : S_ISDIR(found.st_mode) ? "a folder"
                                       : "something that is no regular file",
              expected);
    return STATUS_BAD_INPUT;
}

/* Whether the file's superblock (version 3, see the HDF5 file format) is marked as being written;
 * the mark stays when its writer crashes. */
static bool is_marked_open(int fd)
{
    enum { VERSION = 8, FLAGS = 11, SIZE };
    uint8_t block[SIZE];
    return pread(fd, block, sizeof block, 0) == SIZE && block[VERSION] == 3 &&
           (block[FLAGS] & 1) != 0;
}

const char *hdf5_writer_hint(const char *path)
{
    const char *hint = "";
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return hint;
    /* HDF5 holds the file locked while it writes. */
    if (flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        hint = "; another program has it open for writing: wait until that one closes it";
    else if (is_marked_open(fd))
        hint = "; it is marked as open for writing: its writer has not closed it, or crashed. If "
               "nobody writes it any more, clear the mark of a copy with h5clear -s";
    close(fd);
    return hint;
}

status hdf5_open(hid_t *out, const char *path)
{
    *out = H5I_INVALID_HID;
    const status outcome = hdf5_check_regular(path, "an HDF5 file");
    if (outcome != STATUS_OK)
        return outcome;
    const hid_t access = hdf5_file_access();
    if (access < 0)
        return STATUS_NO_MEMORY;
    const bool signature = H5Fis_hdf5(path) > 0;
    if (signature)
        *out = H5Fopen(path, H5F_ACC_RDONLY, access);
    H5Pclose(access);
    if (*out >= 0)
        return STATUS_OK;
    log_error("%s: %s%s", path, signature ? "truncated or damaged HDF5 file" : "not an HDF5 file",
              hdf5_writer_hint(path));
    return STATUS_BAD_INPUT;
}

/* Hard links only, up to and with each of the names between the slashes. */
static enum hdf5_found check_links(hid_t parent, const char *name)
{
    char *part = strdup(name);
    if (part == NULL)
        return HDF5_MISSING;
    enum hdf5_found found = HDF5_OTHER;
    for (size_t end = 1; found == HDF5_OTHER && end <= strlen(name); end++) {
        if (name[end] != '/' && name[end] != '\0')
            continue;
        part[end] = '\0';
        H5L_info_t link;
        if (H5Lexists(parent, part, H5P_DEFAULT) <= 0 ||
            H5Lget_info(parent, part, &link, H5P_DEFAULT) < 0)
            found = HDF5_MISSING;
        else if (link.type != H5L_TYPE_HARD)
            found = HDF5_LINKED_AWAY;
        part[end] = name[end];
    }
    free(part);
    return found;
}

static bool lies_elsewhere(hid_t dataset)
{
    const hid_t made = H5Dget_create_plist(dataset);
    if (made < 0)
        return true;
    const bool here = H5Pget_external_count(made) == 0 && H5Pget_layout(made) != H5D_VIRTUAL;
    H5Pclose(made);
    return !here;
}

enum hdf5_found hdf5_find(hid_t parent, const char *name)
{
    enum hdf5_found found = check_links(parent, name);
    if (found != HDF5_OTHER)
        return found;
    const hid_t object = H5Oopen(parent, name, H5P_DEFAULT);
    if (object < 0)
        return HDF5_OTHER;
    const H5I_type_t type = H5Iget_type(object);
    if (type == H5I_GROUP)
        found = HDF5_GROUP;
    else if (type == H5I_DATASET)
        found = lies_elsewhere(object) ? HDF5_ELSEWHERE : HDF5_DATASET;
    H5Oclose(object);
    return found;
}

static size_t next_prime(size_t at_least)
{
    for (size_t candidate = at_least | 1;; candidate += 2) {
        bool prime = true;
        for (size_t divisor = 3; prime && divisor * divisor <= candidate; divisor += 2)
            prime = candidate % divisor != 0;
        if (prime)
            return candidate;
    }
}

hsize_t hdf5_times(hsize_t a, hsize_t b)
{
    return b != 0 && a > UINT64_MAX / b ? UINT64_MAX : a * b;
}

static size_t between(size_t least, hsize_t wanted, size_t most)
{
    if (wanted < least)
        return least;
    return wanted < most ? (size_t)wanted : most;
}

/* Two stripes, as rows that are read together may begin in one and end in the next. Ten slots a
 * chunk keep HDF5's hash (a later chunk in the same slot throws the first one out) from
 * collisions between neighbouring stripes. At least HDF5's own defaults; at most a gigabyte, as a
 * damaged header may ask for any size. */
static void set_cache(hid_t access, hid_t dataset, hid_t made)
{
    hsize_t dims[HDF5_RANK_MAX], chunk[HDF5_RANK_MAX];
    const int rank = hdf5_shape(dataset, dims);
    const hid_t type = H5Dget_type(dataset);
    if (rank < 1 || type < 0 || H5Pget_chunk(made, rank, chunk) != rank)
        return;
    hsize_t stripe = 1, bytes = H5Tget_size(type);
    H5Tclose(type);
    for (int d = 0; d < rank; d++) {
        bytes = hdf5_times(bytes, chunk[d]);
        if (d > 0)
            stripe = hdf5_times(stripe, dims[d] / chunk[d] + (dims[d] % chunk[d] != 0));
    }
    /* 1: chunks that were read to their end go first. */
    H5Pset_chunk_cache(access, next_prime(between(521, hdf5_times(20, stripe), 1 << 20)),
                       between(1 << 20, hdf5_times(hdf5_times(2, stripe), bytes), 1 << 30), 1.0);
}

hid_t hdf5_open_forward(hid_t parent, const char *name)
{
    const hid_t plain = H5Dopen2(parent, name, H5P_DEFAULT);
    if (plain < 0)
        return H5I_INVALID_HID;
    const hid_t made = H5Dget_create_plist(plain);
    if (made < 0 || H5Pget_layout(made) != H5D_CHUNKED) {
        if (made >= 0)
            H5Pclose(made);
        return plain;
    }
    hid_t dataset = H5I_INVALID_HID;
    const hid_t access = H5Pcreate(H5P_DATASET_ACCESS);
    if (access >= 0) {
        set_cache(access, plain, made);
        /* HDF5 sets the chunk cache when it opens a dataset; one that is open already keeps its
         * own. */
        H5Dclose(plain);
        dataset = H5Dopen2(parent, name, access);
        H5Pclose(access);
    } else {
        H5Dclose(plain);
    }
    H5Pclose(made);
    return dataset;
}

int hdf5_shape(hid_t dataset, hsize_t dims[HDF5_RANK_MAX])
{
    const hid_t space = H5Dget_space(dataset);
    int rank = H5Sget_simple_extent_ndims(space);
    if (rank < 0 || rank > HDF5_RANK_MAX || H5Sget_simple_extent_type(space) == H5S_NULL)
        rank = -1;
    else if (H5Sget_simple_extent_dims(space, dims, NULL) < 0)
        rank = -1;
    if (space >= 0)
        H5Sclose(space);
    return rank;
}

void hdf5_shape_text(int rank, const hsize_t dims[], size_t size, char out[])
{
    if (rank == 0)
        snprintf(out, size, "a scalar");
    else if (rank < 0)
        snprintf(out, size, "an unknown shape");
    size_t used = 0;
    for (int d = 0; d < rank && used < size; d++) {
        const char *between = d > 0 ? " x " : "";
        const int n = dims[d] == HDF5_ANY ? snprintf(out + used, size - used, "%sany", between)
                                          : snprintf(out + used, size - used, "%s%llu", between,
                                                     (unsigned long long)dims[d]);
        used += n > 0 ? (size_t)n : 0;
    }
}

bool hdf5_read_rows(hid_t dataset, int rank, const hsize_t dims[], uint64_t first, uint64_t n,
                    hid_t memory_type, void *out)
{
    assert(rank >= 1 && rank <= HDF5_RANK_MAX);
    hsize_t start[HDF5_RANK_MAX] = {first}, count[HDF5_RANK_MAX] = {n};
    for (int d = 1; d < rank; d++)
        count[d] = dims[d];
    const hid_t in_file = H5Dget_space(dataset);
    const hid_t in_memory = H5Screate_simple(rank, count, NULL);
    const bool done = in_file >= 0 && in_memory >= 0 &&
                      H5Sselect_hyperslab(in_file, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
                      H5Dread(dataset, memory_type, in_memory, in_file, H5P_DEFAULT, out) >= 0;
    if (in_memory >= 0)
        H5Sclose(in_memory);
    if (in_file >= 0)
        H5Sclose(in_file);
    return done;
}

void hdf5_type_text(hid_t type, size_t size, char out[])
{
    const unsigned bits = type >= 0 ? 8 * (unsigned)H5Tget_size(type) : 0;
    switch (type >= 0 ? H5Tget_class(type) : H5T_NO_CLASS) {
    case H5T_INTEGER:
        snprintf(out, size, "%c%u", H5Tget_sign(type) == H5T_SGN_NONE ? 'u' : 'i', bits);
        break;
    case H5T_FLOAT:
        snprintf(out, size, "f%u", bits);
        break;
    case H5T_STRING:
        snprintf(out, size, H5Tis_variable_str(type) ? "text of any length" : "text");
        break;
    default:
        snprintf(out, size, "unknown");
        break;
    }
}

/* Any order of bytes will do, as HDF5 turns them. */
static status check_type(hid_t dataset, const char *path, const char *name,
                         enum hdf5_element element)
{
    char is[40];
    const hid_t type = dataset >= 0 ? H5Dget_type(dataset) : H5I_INVALID_HID;
    hdf5_type_text(type, sizeof is, is);
    if (type >= 0)
        H5Tclose(type);
    if (strcmp(is, hdf5_element_name(element)) == 0)
        return STATUS_OK;
    log_error("%s: /%s has element type %s, expected %s", path, name, is,
              hdf5_element_name(element));
    return STATUS_BAD_INPUT;
}

/* Compares the shape, fills in what may be any, and counts the bytes, which can be no more than
 * the file has: what a damaged header asks for is not allocated. */
static status check_shape(hid_t file, hid_t dataset, const char *path, const char *name,
                          size_t element_size, int rank, hsize_t dims[], size_t *bytes)
{
    hsize_t found[HDF5_RANK_MAX];
    const int found_rank = hdf5_shape(dataset, found);
    bool fits = found_rank == rank;
    for (int d = 0; fits && d < rank; d++)
        fits = dims[d] == HDF5_ANY || dims[d] == found[d];
    if (!fits) {
        char is[80], must[80];
        hdf5_shape_text(found_rank, found, sizeof is, is);
        hdf5_shape_text(rank, dims, sizeof must, must);
        log_error("%s: /%s has shape %s, expected %s", path, name, is, must);
        return STATUS_BAD_INPUT;
    }
    hsize_t limit = 0;
    if (H5Fget_filesize(file, &limit) < 0)
        limit = 0;
    size_t total = element_size;
    for (int d = 0; d < rank; d++) {
        dims[d] = found[d];
        if (found[d] != 0 && total > limit / found[d]) {
            log_error("%s: /%s claims more bytes than the file has: damaged", path, name);
            return STATUS_BAD_INPUT;
        }
        total *= (size_t)found[d];
    }
    *bytes = total;
    return STATUS_OK;
}

status hdf5_read(hid_t file, const char *path, const char *name, enum hdf5_element element,
                 int rank, hsize_t dims[], void **out)
{
    assert(element != HDF5_TEXT);
    *out = NULL;
    if (hdf5_find(file, name) != HDF5_DATASET) {
        log_error("%s: dataset /%s is missing", path, name);
        return STATUS_BAD_INPUT;
    }
    size_t bytes;
    const hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    status outcome = check_type(dataset, path, name, element);
    if (outcome == STATUS_OK)
        outcome =
            check_shape(file, dataset, path, name, hdf5_element_size(element), rank, dims, &bytes);
    if (outcome != STATUS_OK)
        goto end;
    *out = malloc(bytes > 0 ? bytes : 1);
    outcome = *out != NULL ? STATUS_OK : STATUS_NO_MEMORY;
    if (*out != NULL && bytes > 0 &&
        H5Dread(dataset, hdf5_memory_type(element), H5S_ALL, H5S_ALL, H5P_DEFAULT, *out) < 0) {
        log_error("%s: /%s cannot be read: truncated or damaged", path, name);
        free(*out);
        *out = NULL;
        outcome = STATUS_BAD_INPUT;
    }
end:
    if (dataset >= 0)
        H5Dclose(dataset);
    return outcome;
}

hid_t hdf5_memory_file(void)
{
    enum { GROW_BY = 1 << 20 };
    const hid_t access = hdf5_file_access();
    const hid_t made = H5Pcreate(H5P_FILE_CREATE);
    hid_t file = H5I_INVALID_HID;
    if (access >= 0 && made >= 0 && H5Pset_fapl_core(access, GROW_BY, false) >= 0 &&
        H5Pset_obj_track_times(made, false) >= 0)
        file = H5Fcreate("memory", H5F_ACC_TRUNC, made, access);
    if (made >= 0)
        H5Pclose(made);
    if (access >= 0)
        H5Pclose(access);
    return file;
}

status hdf5_memory_file_bytes(hid_t file, uint8_t **bytes, size_t *size)
{
    *bytes = NULL;
    *size = 0;
    if (H5Fflush(file, H5F_SCOPE_GLOBAL) < 0)
        return STATUS_IO;
    const ssize_t length = H5Fget_file_image(file, NULL, 0);
    if (length <= 0)
        return STATUS_IO;
    *bytes = malloc((size_t)length);
    if (*bytes == NULL)
        return STATUS_NO_MEMORY;
    if (H5Fget_file_image(file, *bytes, (size_t)length) != length) {
        free(*bytes);
        *bytes = NULL;
        return STATUS_IO;
    }
    *size = (size_t)length;
    return STATUS_OK;
}

bool hdf5_make_group(hid_t parent, const char *name)
{
    hid_t group = H5I_INVALID_HID;
    const hid_t made = H5Pcreate(H5P_GROUP_CREATE);
    if (made >= 0 && H5Pset_obj_track_times(made, false) >= 0)
        group = H5Gcreate2(parent, name, H5P_DEFAULT, made, H5P_DEFAULT);
    if (made >= 0)
        H5Pclose(made);
    return group >= 0 && H5Gclose(group) >= 0;
}

hid_t hdf5_dataset_properties(void)
{
    const hid_t made = H5Pcreate(H5P_DATASET_CREATE);
    if (made >= 0 && H5Pset_obj_track_times(made, false) >= 0)
        return made;
    if (made >= 0)
        H5Pclose(made);
    return H5I_INVALID_HID;
}

bool hdf5_write(hid_t parent, const char *name, enum hdf5_element element, int rank,
                const hsize_t dims[], const void *data)
{
    assert(element != HDF5_TEXT);
    bool done = false;
    size_t elements = 1;
    for (int d = 0; d < rank; d++)
        elements *= (size_t)dims[d];
    const hid_t space = rank > 0 ? H5Screate_simple(rank, dims, NULL) : H5Screate(H5S_SCALAR);
    const hid_t made = hdf5_dataset_properties();
    hid_t dataset = H5I_INVALID_HID;
    if (space < 0 || made < 0)
        goto end;
    dataset =
        H5Dcreate2(parent, name, hdf5_file_type(element), space, H5P_DEFAULT, made, H5P_DEFAULT);
    if (dataset < 0)
        goto end;
    done = elements == 0 ||
           H5Dwrite(dataset, hdf5_memory_type(element), H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0;
end:
    if (dataset >= 0)
        done = H5Dclose(dataset) >= 0 && done;
    if (made >= 0)
        H5Pclose(made);
    if (space >= 0)
        H5Sclose(space);
    return done;
}

bool hdf5_write_texts(hid_t parent, const char *name, size_t n, const char *const texts[])
{
    size_t size = 1;
    for (size_t i = 0; i < n; i++)
        size = strlen(texts[i]) > size ? strlen(texts[i]) : size;
    char *packed = calloc(n + 1, size);
    for (size_t i = 0; packed != NULL && i < n; i++)
        memcpy(packed + i * size, texts[i], strlen(texts[i]));
    const hsize_t rows = n;
    const hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate_simple(1, &rows, NULL);
    const hid_t made = hdf5_dataset_properties();
    hid_t dataset = H5I_INVALID_HID;
    bool done = false;
    if (packed != NULL && type >= 0 && H5Tset_size(type, size) >= 0 &&
        H5Tset_cset(type, H5T_CSET_UTF8) >= 0 && H5Tset_strpad(type, H5T_STR_NULLPAD) >= 0 &&
        space >= 0 && made >= 0)
        dataset = H5Dcreate2(parent, name, type, space, H5P_DEFAULT, made, H5P_DEFAULT);
    if (dataset >= 0) {
        done = H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, packed) >= 0;
        H5Dclose(dataset);
    }
    if (made >= 0)
        H5Pclose(made);
    if (space >= 0)
        H5Sclose(space);
    if (type >= 0)
        H5Tclose(type);
    free(packed);
    return done;
}
