/* rules/moment/readers.h - who reads what: for listings, and to say what something costs. */
#ifndef ATTENT_RULES_MOMENT_READERS_H
#define ATTENT_RULES_MOMENT_READERS_H

#include "rules/moment/ruleset.h"

/* Every slot that an expression or a text of the moment may read; some come several times. */
void readers_each(const struct moment *moment, void (*each)(void *context, uint32_t slot),
                  void *context);

bool readers_moment_has_fact(const struct moment *moment, uint32_t fact);
/* The moment reads this path of events of this type. */
bool readers_moment_has_path(const struct ruleset *set, const struct moment *moment, uint16_t type,
                             uint16_t path);
bool readers_fact_has_path(const struct fact *fact, uint16_t type, uint16_t path);

#endif
