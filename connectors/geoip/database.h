/* connectors/geoip/database.h - one database in memory, looked through.  Private to connectors/geoip. */
#ifndef ATTENT_CONNECTORS_GEOIP_DATABASE_H
#define ATTENT_CONNECTORS_GEOIP_DATABASE_H

#include "connectors/geoip/address.h"
#include "core/err.h"
#include "schemas/event.h"

struct database;

/* ERR_CONFIG: it is not there or no good. */
enum err_code database_open(const char *path, struct database **out, struct err *err);
void database_close(struct database *db); /* NULL allowed */

/* What it says of an address, and for how many of the address's 128 bits that holds.  Texts live as
 * long as the database; what is not there is empty.  False: it does not have the address. */
bool database_find(const struct database *db, const struct ip *ip, struct str out[GEO_COUNT],
                   int *bits);

int64_t database_built_s(const struct database *db);

#endif
