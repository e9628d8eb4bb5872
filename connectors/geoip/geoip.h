/* connectors/geoip/geoip.h - where an IP address is, by a database in MaxMind's format (.mmdb).
 *
 *   "203.0.113.7" --parse--> cache of address blocks --else--> search tree --> country, place ...
 *
 * GeoLite2, GeoIP2, DB-IP and the flat ones of ip-location-db are read alike.  A database is copied
 * into memory before it is used and looked through from end to end, so a file that is broken, or
 * written over while it is in use, changes nothing.  This is the only user of libmaxminddb.
 *
 * @thread one thread per struct geoip
 */
#ifndef ATTENT_CONNECTORS_GEOIP_GEOIP_H
#define ATTENT_CONNECTORS_GEOIP_GEOIP_H

#include "core/err.h"
#include "schemas/event.h"

enum geoip_answer {
#define ANSWER(name, word) GEOIP_##name,
#include "connectors/geoip/answers.def"
#undef ANSWER
    GEOIP_ANSWER_COUNT
};
const char *geoip_answer_word(enum geoip_answer answer); /* for metrics */

struct geoip;

/* ERR_CONFIG: the file is not there, or is no database that can be used. */
enum err_code geoip_open(const char *path, struct geoip **out, struct err *err);
void geoip_close(struct geoip *g); /* NULL allowed */

/* IPv4 and IPv6; ::ffff:1.2.3.4 is 1.2.3.4.  A port may follow: 1.2.3.4:80, [2001:db8::1]:80.
 * GEOIP_FOUND: out is filled, what the database does not say is empty; else all of it is.  Texts live
 * until the next call. */
enum geoip_answer geoip_find(struct geoip *g, struct str address, struct str out[GEO_COUNT]);

/* Is there another file?  Looked at every GEOIP_LOOK_MS, and taken once it has not changed between two
 * looks.  GEOIP_REFUSED: it is no good, err says why (once for each file), and the old one stays. */
enum { GEOIP_LOOK_MS = 5000 };
enum geoip_change { GEOIP_SAME = 0, GEOIP_SWITCHED, GEOIP_REFUSED };
enum geoip_change geoip_refresh(struct geoip *g, int64_t mono_ms, struct err *err);

int64_t geoip_built_s(const struct geoip *g); /* when the database was made, seconds since 1970 */
uint64_t geoip_walks(const struct geoip *g);  /* questions that no cached block answered */

#endif
