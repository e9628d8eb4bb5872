#include "tests/chaos/findings.h"

#include <stdarg.h>
#include <stdio.h>

#include "tests/support/scratch.h"

enum { PRINTED_MAX = 10 };

static FILE *file;
static unsigned printed;

void findings_open(const char *path)
{
    file = fopen(path, "w");
    if (file == NULL)
        scratch_fail("%s cannot be written", path);
    findings_next_kind();
}

void findings_close(void)
{
    fclose(file);
}

void findings_next_kind(void)
{
    printed = 0;
}

void finding(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vfprintf(file, format, args);
    va_end(args);
    fputc('\n', file);
    if (printed++ >= PRINTED_MAX)
        return;
    printf("  ");
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
}
