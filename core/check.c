#include "core/check.h"

#include <stdio.h>
#include <stdlib.h>

static _Thread_local const char *context;

void check_context(const char *what)
{
    context = what;
}

void check_failed(const char *file, int line, const char *cond)
{
    fprintf(stderr, "bug: %s:%d: %s%s%s\n", file, line, cond, context != NULL ? "; at " : "",
            context != NULL ? context : "");
    abort();
}
