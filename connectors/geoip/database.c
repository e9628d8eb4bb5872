/* libmaxminddb maps the file that it is given, and a file that is cut short under a mapping kills the
 * process.  So it is given a copy in memory (memfd), which nobody else can write to. */
#include "connectors/geoip/database.h"

#include <errno.h>
#include <fcntl.h>
#include <maxminddb.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "connectors/geoip/sound.h"
#include "core/limit.h"
#include "core/mem.h"

enum { DATA_SEPARATOR = 16 }; /* bytes between search tree and data */

struct database {
    MMDB_s mmdb;
};

/* --- into memory ---------------------------------------------------------------------------------- */

static enum err_code no_good(struct err *err, const char *path, const char *why)
{
    return err_set(err, ERR_CONFIG, "%s is no database of addresses that can be used: %s", path,
                   why);
}

static bool copy_all(int from, int to)
{
    static const size_t chunk = 1 << 20;
    char *bytes = mem_alloc(chunk);
    size_t total = 0;
    ssize_t got;

    while ((got = read(from, bytes, chunk)) > 0) {
        total += (size_t)got;
        if (total > LIMIT_GEO_BYTES || write(to, bytes, (size_t)got) != got)
            break;
    }
    mem_free(bytes);
    return got == 0;
}

/* -1: err says why. */
static int copy_to_memory(const char *path, struct err *err)
{
    int from = open(path, O_RDONLY | O_CLOEXEC), copy = -1;
    struct stat about;

    if (from == -1 || fstat(from, &about) != 0) {
        err_set(err, ERR_CONFIG, "%s cannot be read: %s", path, strerror(errno));
    } else if (!S_ISREG(about.st_mode) || about.st_size > LIMIT_GEO_BYTES) {
        no_good(err, path, S_ISREG(about.st_mode) ? "it is too large" : "it is no file");
    } else {
        copy = memfd_create("geo", MFD_CLOEXEC);
        if (copy == -1 || !copy_all(from, copy)) {
            err_set(err, ERR_CONFIG, "%s cannot be copied to memory: %s", path, strerror(errno));
            if (copy != -1)
                close(copy);
            copy = -1;
        }
    }
    if (from != -1)
        close(from);
    return copy;
}

/* --- looking through ------------------------------------------------------------------------------ */

static bool metadata_is_sound(int copy)
{
    struct str file, metadata;
    struct stat about;
    void *bytes;
    bool sound;

    if (fstat(copy, &about) != 0 || about.st_size == 0)
        return false;
    bytes = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, copy, 0);
    if (bytes == MAP_FAILED)
        return false;
    file = (struct str){bytes, (size_t)about.st_size};
    sound = sound_metadata(file, &metadata);
    munmap(bytes, (size_t)about.st_size);
    return sound;
}

struct look { /* which records have been looked at: many networks share one */
    struct str data;
    unsigned char *seen; /* a bit for each byte of data */
};

static bool record_is_sound(struct look *look, const MMDB_s *mmdb, uint64_t record, uint8_t type)
{
    size_t offset = (size_t)(record - mmdb->metadata.node_count - DATA_SEPARATOR);

    if (type == MMDB_RECORD_TYPE_SEARCH_NODE || type == MMDB_RECORD_TYPE_EMPTY)
        return true;
    if (type != MMDB_RECORD_TYPE_DATA ||
        record < (uint64_t)mmdb->metadata.node_count + DATA_SEPARATOR)
        return false;
    if (offset < look->data.len && (look->seen[offset / 8] & 1 << offset % 8) != 0)
        return true;
    if (!sound_value(look->data, offset))
        return false;
    look->seen[offset / 8] |= (unsigned char)(1 << offset % 8);
    return true;
}

static bool all_is_sound(const MMDB_s *mmdb)
{
    struct look look = {{(const char *)mmdb->data_section, mmdb->data_section_size}, NULL};
    bool sound = mmdb->metadata.node_count > 0;
    MMDB_search_node_s node;

    look.seen = mem_alloc(look.data.len / 8 + 1);
    for (uint32_t i = 0; i < mmdb->metadata.node_count && sound; i++)
        sound = MMDB_read_node(mmdb, i, &node) == MMDB_SUCCESS &&
                record_is_sound(&look, mmdb, node.left_record, node.left_record_type) &&
                record_is_sound(&look, mmdb, node.right_record, node.right_record_type);
    mem_free(look.seen);
    return sound;
}

/* --- open and close ------------------------------------------------------------------------------- */

enum err_code database_open(const char *path, struct database **out, struct err *err)
{
    struct database *db = MEM_NEW(struct database);
    enum err_code code = ERR_NONE;
    char name[32];
    int copy = copy_to_memory(path, err), status;

    *out = NULL;
    if (copy == -1) {
        mem_free(db);
        return ERR_CONFIG;
    }
    snprintf(name, sizeof name, "/proc/self/fd/%d", copy);
    if (!metadata_is_sound(copy)) {
        code = no_good(err, path, "its metadata is missing or broken");
        mem_free(db);
    } else if ((status = MMDB_open(name, MMDB_MODE_MMAP, &db->mmdb)) != MMDB_SUCCESS) {
        code = no_good(err, path, MMDB_strerror(status));
        mem_free(db);
    } else if (!all_is_sound(&db->mmdb)) {
        code = no_good(err, path, "its search tree or its data is broken");
        database_close(db);
    } else {
        *out = db;
    }
    close(copy); /* the mapping stays */
    return code;
}

void database_close(struct database *db)
{
    if (db == NULL)
        return;
    MMDB_close(&db->mmdb);
    mem_free(db);
}

int64_t database_built_s(const struct database *db)
{
    return (int64_t)db->mmdb.metadata.build_epoch;
}

/* --- finding -------------------------------------------------------------------------------------- */

enum { WAYS = 2, NAMES = 4 };

/* As MaxMind and DB-IP write it; as the flat databases do. */
static const char *const paths[GEO_COUNT][WAYS][NAMES] = {
    [GEO_COUNTRY] = {{"country", "iso_code"}, {"country_code"}},
    [GEO_PLACE] = {{"city", "names", "en"}, {"city"}},
    [GEO_TIME_ZONE] = {{"location", "time_zone"}, {"timezone"}},
};

static struct str read_text(MMDB_entry_s *entry, enum geo geo)
{
    static const size_t bytes_max[GEO_COUNT] = {
#define GEO(name, word, attribute, most, text) [GEO_##name] = most,
#include "schemas/geo.def"
#undef GEO
    };
    MMDB_entry_data_s data;
    struct str text;

    for (size_t i = 0; i < WAYS && paths[geo][i][0] != NULL; i++) {
        if (MMDB_aget_value(entry, &data, paths[geo][i]) != MMDB_SUCCESS || !data.has_data ||
            data.type != MMDB_DATA_TYPE_UTF8_STRING)
            continue;
        text = (struct str){data.utf8_string, data.data_size};
        if (event_check_text("geo", text, bytes_max[geo], NULL) == EVENT_FINE)
            return text;
    }
    return STR_EMPTY;
}

bool database_find(const struct database *db, const struct ip *ip, struct str out[GEO_COUNT],
                   int *bits)
{
    struct sockaddr_storage socket;
    MMDB_lookup_result_s found;
    int status;

    ip_socket(ip, &socket);
    found = MMDB_lookup_sockaddr(&db->mmdb, (struct sockaddr *)&socket, &status);
    *bits = found.netmask;
    if (ip->v4 && db->mmdb.metadata.ip_version == 4)
        *bits += IP_V4_BITS;
    if (status != MMDB_SUCCESS) { /* IPv6, of a database that has IPv4 only */
        *bits = ip->v4 ? IP_BITS : 0;
        return false;
    }
    if (ip->v4 && *bits < IP_V4_BITS)
        *bits = IP_V4_BITS;
    for (size_t i = 0; found.found_entry && i < GEO_COUNT; i++)
        out[i] = read_text(&found.entry, (enum geo)i);
    return found.found_entry;
}
