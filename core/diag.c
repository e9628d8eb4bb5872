#include "core/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/check.h"
#include "core/mem.h"

enum { WHAT_BYTES_MAX = 1024 };

const struct diag_code diag_codes[] = {
#define PART(title)
#define CODE(code, severity, title, text) {code, title, text, SEVERITY_##severity},
#include "core/diag.def"
#undef PART
#undef CODE
    {0}};

const struct diag_code *diag_code_find(const char *code)
{
    for (const struct diag_code *row = diag_codes; row->code != NULL; row++)
        if (strcmp(row->code, code) == 0)
            return row;
    return NULL;
}

static bool has_level(const struct diag_code *row, enum diag_level level)
{
    return row->severity == SEVERITY_PROOF ||
           (row->severity == SEVERITY_ERROR) == (level == DIAG_ERROR);
}

void diag_add(struct diags *diags, enum diag_level level, struct place place, const char *code,
              const char *help, const char *format, ...)
{
    const struct diag_code *row = diag_code_find(code);
    char what[WHAT_BYTES_MAX];
    va_list args;

    CHECK(row != NULL && has_level(row, level)); /* a code that diag.def does not have */

    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    if (place.file != NULL)
        place.file = mem_copy_text(place.file, strlen(place.file));
    MEM_RESERVE(diags->items, diags->count, diags->capacity);
    diags->items[diags->count++] = (struct diag){
        .level = level,
        .place = place,
        .code = mem_copy_text(code, strlen(code)),
        .what = mem_copy_text(what, strlen(what)),
        .help = help != NULL ? mem_copy_text(help, strlen(help)) : NULL,
    };
    if (level == DIAG_ERROR)
        diags->error_count++;
}

static int compare(const struct diag *a, const struct diag *b)
{
    int order = str_compare(str_of(a->place.file), str_of(b->place.file));

    if (order != 0)
        return order;
    if (a->place.line != b->place.line)
        return a->place.line - b->place.line;
    return a->place.column - b->place.column;
}

void diags_sort(struct diags *diags)
{
    for (size_t i = 1; i < diags->count; i++) {
        struct diag moved = diags->items[i];
        size_t j = i;
        for (; j > 0 && compare(&diags->items[j - 1], &moved) > 0; j--)
            diags->items[j] = diags->items[j - 1];
        diags->items[j] = moved;
    }
}

static void free_one(struct diag *diag)
{
    mem_free((char *)diag->place.file);
    mem_free(diag->code);
    mem_free(diag->what);
    mem_free(diag->help);
}

void diags_remove(struct diags *diags, size_t index)
{
    CHECK(index < diags->count);
    diags->error_count -= diags->items[index].level == DIAG_ERROR;
    free_one(&diags->items[index]);
    diags->count--;
    memmove(&diags->items[index], &diags->items[index + 1],
            (diags->count - index) * sizeof *diags->items);
}

void diags_prove(struct diags *diags)
{
    for (size_t i = 0; i < diags->count; i++) {
        struct diag *diag = &diags->items[i];
        if (diag->level == DIAG_ERROR || diag_code_find(diag->code)->severity != SEVERITY_PROOF)
            continue;
        diag->level = DIAG_ERROR;
        diags->error_count++;
    }
}

void diags_free(struct diags *diags)
{
    if (diags == NULL)
        return;
    for (size_t i = 0; i < diags->count; i++)
        free_one(&diags->items[i]);
    mem_free(diags->items);
    *diags = (struct diags){0};
}

static struct str line_of(struct str source, int line)
{
    struct str head, rest = source;

    for (int i = 1; i < line; i++)
        if (!str_cut(rest, '\n', &head, &rest))
            return STR_EMPTY;
    if (str_cut(rest, '\n', &head, &rest))
        return head;
    return rest;
}

void diag_print(struct buf *out, const struct diag *diag, struct str source)
{
    const struct place *place = &diag->place;
    struct str line = place->line > 0 ? line_of(source, place->line) : STR_EMPTY;

    if (place->file != NULL && place->line > 0)
        buf_put_format(out, "%s:%d:%d: ", place->file, place->line, place->column);
    else if (place->file != NULL)
        buf_put_format(out, "%s: ", place->file);
    buf_put_format(out, "%s[%s]: %s\n", diag->level == DIAG_ERROR ? "error" : "warning", diag->code,
                   diag->what);
    if (line.len != 0) {
        buf_put_format(out, "    %.*s\n", STR_ARG(line));
        if (place->column > 0)
            buf_put_format(out, "    %*s^\n", place->column - 1, "");
    }
    if (diag->help != NULL)
        buf_put_format(out, "    help: %s\n", diag->help);
}
