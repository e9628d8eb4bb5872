#include "core/err.h"

#include <stdio.h>
#include <string.h>

#include "core/check.h"

static const char *const code_texts[] = {
#define ERR(name, text) [ERR_##name] = text,
#include "core/errors.def"
#undef ERR
};

enum err_code err_set(struct err *err, enum err_code code, const char *format, ...)
{
    va_list args;

    if (err == NULL)
        return code;
    err->code = code;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return code;
}

enum err_code err_prefix(struct err *err, const char *format, ...)
{
    char after[sizeof err->text];
    size_t used;
    va_list args;

    if (err == NULL)
        return ERR_NONE;
    va_start(args, format);
    memcpy(after, err->text, sizeof after);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    used = strlen(err->text);
    snprintf(err->text + used, sizeof err->text - used, ": %s", after);
    return err->code;
}

const char *err_code_text(enum err_code code)
{
    CHECK((unsigned)code < ERR_CODE_COUNT);
    return code_texts[code];
}
