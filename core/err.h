/* core/err.h - failures of the world: configuration, network, disk.
 *
 * A function that can fail returns enum err_code (ERR_NONE is 0) and fills a struct err that
 * the caller owns (last argument, NULL allowed) with one sentence that names the thing.
 */
#ifndef ATTENT_CORE_ERR_H
#define ATTENT_CORE_ERR_H

#include <stdarg.h>

enum err_code {
#define ERR(name, text) ERR_##name,
#include "core/errors.def"
#undef ERR
    ERR_CODE_COUNT
};

struct err {
    enum err_code code;
    char text[512]; /* NUL-terminated, cut when longer */
};

/* Fill err (NULL allowed) and return code, so that a caller can write `return err_set(...)`. */
enum err_code err_set(struct err *err, enum err_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Put "what: " in front of the text that err already has; code stays. */
enum err_code err_prefix(struct err *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The words of a code, e.g. "Kafka".  Static. */
const char *err_code_text(enum err_code code);

#endif
