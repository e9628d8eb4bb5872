#include <stdarg.h>
#include <stdio.h>

#include "rules/cel/node.h"

/* Columns count characters: bytes that continue a UTF-8 sequence do not. */
static struct place place_at(const struct cel_source *source, uint32_t at)
{
    struct place place = source->place;
    int column = place.column > 0 ? place.column : 1;

    if (place.line <= 0)
        place.line = 1;
    place.column = column;
    for (uint32_t i = 0; i < at && i < source->text.len; i++) {
        unsigned char c = (unsigned char)source->text.data[i];
        if (c == '\n') {
            place.line++;
            place.column = column;
        } else if ((c & 0xc0) != 0x80) {
            place.column++;
        }
    }
    return place;
}

void cel_report(struct cel_source *source, enum diag_level level, uint32_t at, const char *code,
                const char *help, const char *format, ...)
{
    char what[512];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    if (level == DIAG_ERROR)
        source->error_count++;
    diag_add(source->diags, level, place_at(source, at), code, help, "%s", what);
}
