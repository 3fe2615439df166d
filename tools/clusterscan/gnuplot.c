/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/gnuplot.h"

#include <errno.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/log/log.h"
#include "common/store/atomic_file.h"

/* What `set terminal` gets, and how a file of this kind begins. */
struct format {
    const char *suffix;
    const char *magic;
    void (*terminal)(FILE *to, const struct drawing *drawing);
};

/* Text of 7 points and lines of the same width on paper, whatever the format. gnuplot 5.4 makes
 * both text and lines of a PDF in other units than those of a PNG: these factors were measured. */
static void pdf_terminal(FILE *to, const struct drawing *drawing)
{
    fprintf(to,
            "set terminal pdfcairo enhanced size %gcm,%gcm font 'Sans,7' fontscale 0.75 "
            "linewidth 1.7\n",
            drawing->width_cm, drawing->height_cm);
}

static void png_terminal(FILE *to, const struct drawing *drawing)
{
    const double inch = 2.54, dots_assumed = 96; /* by pngcairo, for fonts in points */
    const double scale = GNUPLOT_DOTS_PER_INCH / dots_assumed;
    fprintf(to,
            "set terminal pngcairo enhanced size %.0f,%.0f font 'Sans,7' fontscale %g "
            "linewidth %g pointscale %g\n",
            drawing->width_cm / inch * GNUPLOT_DOTS_PER_INCH,
            drawing->height_cm / inch * GNUPLOT_DOTS_PER_INCH, scale, 0.85 * scale, scale);
}

/* Starts gnuplot and waits for its end. -d: without the start-up files of the user. */
static status execute(int script, int picture)
{
    static char name[] = "gnuplot", defaults[] = "-d", input[] = "-";
    char *const argv[] = {name, defaults, input, NULL};
    posix_spawn_file_actions_t actions;
    if (posix_spawn_file_actions_init(&actions) != 0)
        return STATUS_NO_MEMORY;
    pid_t child;
    int error = posix_spawn_file_actions_adddup2(&actions, script, STDIN_FILENO);
    if (error == 0)
        error = posix_spawn_file_actions_adddup2(&actions, picture, STDOUT_FILENO);
    if (error == 0)
        error = posix_spawnp(&child, name, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
        log_error("gnuplot cannot be started: %s; on Debian it is in the package gnuplot-nox",
                  strerror(error));
        return STATUS_IO;
    }
    int code = 0;
    while (waitpid(child, &code, 0) < 0)
        if (errno != EINTR)
            return STATUS_IO;
    return code == 0 ? STATUS_OK : STATUS_IO;
}

/* All of a file, to be given to free; NULL if it cannot be read. */
static uint8_t *read_back(FILE *file, size_t *size)
{
    struct stat info;
    if (fstat(fileno(file), &info) != 0)
        return NULL;
    *size = (size_t)info.st_size;
    uint8_t *bytes = malloc(*size + 1);
    if (bytes != NULL && pread(fileno(file), bytes, *size, 0) != (ssize_t)*size) {
        free(bytes);
        return NULL;
    }
    return bytes;
}

static bool write_script(FILE *to, const struct format *format, const struct drawing *drawing)
{
    fprintf(to, "set encoding utf8\n$data << END_OF_DATA\n%sEND_OF_DATA\n", drawing->table);
    format->terminal(to, drawing);
    fprintf(to, "reset\nset minussign\n%s", drawing->script);
    return fflush(to) == 0 && ferror(to) == 0 && lseek(fileno(to), 0, SEEK_SET) == 0;
}

static status draw_one(const char *path, const struct format *format, const struct drawing *drawing)
{
    FILE *script = tmpfile(), *picture = tmpfile();
    uint8_t *bytes = NULL;
    size_t size = 0;
    status done = STATUS_IO;
    if (script == NULL || picture == NULL || !write_script(script, format, drawing)) {
        log_error("a temporary file cannot be made: %s", strerror(errno));
        goto end;
    }
    done = execute(fileno(script), fileno(picture));
    if (done != STATUS_OK)
        goto end;
    bytes = read_back(picture, &size);
    const size_t magic = strlen(format->magic);
    if (bytes == NULL || size < magic || memcmp(bytes, format->magic, magic) != 0) {
        log_error("%s: not written: gnuplot did not give a picture", path);
        done = STATUS_IO;
    } else {
        done = atomic_file_replace(path, size, bytes);
        if (done == STATUS_NO_SPACE)
            log_error("%s: cannot be written: no space left", path);
    }
end:
    free(bytes);
    if (script != NULL)
        fclose(script);
    if (picture != NULL)
        fclose(picture);
    return done;
}

status gnuplot_draw(const char *folder, const char *name, const struct drawing *drawing)
{
    static const struct format formats[] = {
        {"pdf", "%PDF-", pdf_terminal},
        {"png", "\x89PNG\r\n", png_terminal},
    };
    status done = STATUS_OK;
    for (size_t i = 0; done == STATUS_OK && i < sizeof formats / sizeof *formats; i++) {
        char *path;
        if (asprintf(&path, "%s/%s.%s", folder, name, formats[i].suffix) < 0)
            return STATUS_NO_MEMORY;
        done = draw_one(path, &formats[i], drawing);
        if (done == STATUS_IO)
            log_error("%s: not drawn", path);
        free(path);
    }
    return done;
}
