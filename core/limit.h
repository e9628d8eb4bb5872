/* core/limit.h - every limit, in one table, each with its reason.
 *
 * An outside input larger than its limit is refused with a reason; it can never take the process
 * down.
 */
#ifndef ATTENT_CORE_LIMIT_H
#define ATTENT_CORE_LIMIT_H

enum limit {
#define LIMIT(name, value, text) LIMIT_##name = (value),
#include "core/limits.def"
#undef LIMIT
};

#endif
