/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/clusterscan/figures/gnuplot.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/store/disk/atomic_file.h"

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

enum { FORMATS = 2 };

static const struct format formats[FORMATS] = {
    {"pdf", "%PDF-", pdf_terminal},
    {"png", "\x89PNG\r\n", png_terminal},
};

/* A file without a name in TMPDIR, else /tmp; -1, logged, if there cannot be one. gnuplot inherits
 * it and finds it as /dev/fd/N. */
static int nameless_file(void)
{
    const char *folder = getenv("TMPDIR");
    if (folder == NULL || *folder == '\0')
        folder = "/tmp";
    int file = open(folder, O_TMPFILE | O_RDWR, 0600);
    char *path;
    if (file < 0 && errno != ENOENT && asprintf(&path, "%s/clusterscan-XXXXXX", folder) >= 0) {
        file = mkstemp(path); /* not every file system knows O_TMPFILE */
        if (file >= 0)
            unlink(path);
        free(path);
    }
    if (file < 0)
        log_error("a temporary file cannot be made in %s: %s", folder, strerror(errno));
    return file;
}

/* Starts gnuplot and waits for its end. -d: without the start-up files of the user. The script has
 * a name, as gnuplot reads standard input byte by byte. */
static status execute(int script)
{
    static char name[] = "gnuplot", defaults[] = "-d";
    char input[32];
    snprintf(input, sizeof input, "/dev/fd/%d", script);
    char *const argv[] = {name, defaults, input, NULL};
    posix_spawn_file_actions_t actions;
    if (posix_spawn_file_actions_init(&actions) != 0)
        return STATUS_NO_MEMORY;
    pid_t child;
    int error = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (error == 0)
        error = posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
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
static uint8_t *read_back(int file, size_t *size)
{
    struct stat info;
    if (fstat(file, &info) != 0)
        return NULL;
    *size = (size_t)info.st_size;
    uint8_t *bytes = malloc(*size + 1);
    if (bytes != NULL && pread(file, bytes, *size, 0) != (ssize_t)*size) {
        free(bytes);
        return NULL;
    }
    return bytes;
}

/* All drawings in one script: starting gnuplot costs more than most of them. */
static bool write_script(int file, size_t n, const struct drawing drawings[], const int picture[])
{
    const int copy = dup(file);
    FILE *to = copy >= 0 ? fdopen(copy, "w") : NULL;
    if (to == NULL) {
        if (copy >= 0)
            close(copy);
        return false;
    }
    fputs("set encoding utf8\n", to);
    for (size_t i = 0; i < n * FORMATS; i++) {
        const struct drawing *drawing = &drawings[i / FORMATS];
        if (i % FORMATS == 0)
            fprintf(to, "$data << END_OF_DATA\n%sEND_OF_DATA\n", drawing->table);
        formats[i % FORMATS].terminal(to, drawing);
        fprintf(to, "set output '/dev/fd/%d'\nreset\nset minussign\n%sunset output\n", picture[i],
                drawing->script);
    }
    const bool failed = ferror(to) != 0;
    return fclose(to) == 0 && !failed;
}

/* Renames a finished picture to its name. complete: gnuplot reached its end. */
static status keep_picture(const char *path, int picture, const char *magic, bool complete)
{
    size_t size = 0;
    uint8_t *bytes = read_back(picture, &size);
    status done = STATUS_IO;
    if (bytes == NULL || !complete || size < strlen(magic) ||
        memcmp(bytes, magic, strlen(magic)) != 0) {
        log_error("%s: not drawn: gnuplot did not give a picture", path);
    } else {
        done = atomic_file_replace(path, size, bytes);
        if (done == STATUS_NO_SPACE)
            log_error("%s: cannot be written: no space left", path);
    }
    free(bytes);
    return done;
}

static status keep_pictures(const char *folder, size_t n, const struct drawing drawings[],
                            const int picture[], bool complete)
{
    status done = STATUS_OK;
    for (size_t i = 0; done == STATUS_OK && i < n * FORMATS; i++) {
        const struct format *format = &formats[i % FORMATS];
        char *path;
        if (asprintf(&path, "%s/%s.%s", folder, drawings[i / FORMATS].name, format->suffix) < 0)
            return STATUS_NO_MEMORY;
        done = keep_picture(path, picture[i], format->magic, complete);
        free(path);
    }
    return done;
}

status gnuplot_draw(const char *folder, size_t n, const struct drawing drawings[])
{
    assert(n <= GNUPLOT_DRAWINGS_MAX);
    int picture[GNUPLOT_DRAWINGS_MAX * FORMATS];
    size_t opened = 0;
    status done = STATUS_IO;
    const int script = nameless_file();
    if (script < 0)
        return done;
    for (; opened < n * FORMATS; opened++)
        if ((picture[opened] = nameless_file()) < 0)
            goto end;
    if (!write_script(script, n, drawings, picture)) {
        log_error("a temporary file cannot be written: %s", strerror(errno));
        goto end;
    }
    done = execute(script);
    if (done == STATUS_OK || done == STATUS_IO) /* each missing figure is named */
        done = keep_pictures(folder, n, drawings, picture, done == STATUS_OK);
end:
    close(script);
    while (opened > 0)
        close(picture[--opened]);
    return done;
}

void gnuplot_print_text(const char *text, size_t most, FILE *to)
{
    const size_t length = strlen(text), shown = length <= most ? length : most > 3 ? most - 3 : 0;
    fputc('\'', to);
    for (size_t i = 0; i < shown; i++) {
        const unsigned char c = (unsigned char)text[i];
        if (c < ' ' || c > '~')
            fputc('?', to);
        else if (c == '\'' || c == '`') /* gnuplot stumbles over several doubled quotes */
            fputs("’", to);
        else if (strchr("{}^_@&~\\", c) != NULL) /* enhanced text */
            fprintf(to, "\\%c", c);
        else
            fputc(c, to);
    }
    fputs(shown < length ? "...'" : "'", to);
}
