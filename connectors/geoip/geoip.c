/* A database knows blocks of addresses; a block's answer holds for each of its addresses.  The cache is
 * a table of sets: an address's first 24 bits (IPv6: 48) choose the set, and a block in it answers if
 * it holds the address.  So a block that is larger stands in several sets, and one that is smaller
 * shares its set with its neighbours.
 *
 *     203.0.113.7 -> set of 203.0.113 -> [203.0.113.0/25 NL] [203.0.113.128/25 BE] [...] [...]
 */
#include "connectors/geoip/geoip.h"

#include <sys/stat.h>

#include "connectors/geoip/database.h"
#include "connectors/net/address.h"
#include "core/hash.h"
#include "core/limit.h"
#include "core/mem.h"

enum {
    WAYS = 4,
    SETS = LIMIT_GEO_BLOCKS / WAYS,
    TEXT_BYTES = 216, /* of all texts of a block: the sum of schemas/geo.def */
};
#define GEO(name, word, attribute, bytes_max, text) +bytes_max
_Static_assert(0
#include "schemas/geo.def"
                   <= TEXT_BYTES,
               "the texts of a block fit");
#undef GEO

struct block {
    struct ip first;
    int bits; /* of 128 that hold for the whole block */
    bool used;
    enum geoip_answer answer;
    unsigned char lengths[GEO_COUNT];
    char texts[TEXT_BYTES];
};

struct set {
    struct block ways[WAYS];
    unsigned next; /* that goes when there is no room */
};

struct stamp { /* another one is another file */
    ino_t inode;
    off_t bytes;
    struct timespec changed;
};

struct geoip {
    char *path;
    struct database *db;
    struct stamp taken, seen; /* of the last one that was tried; of the last look */
    int64_t look_ms;
    uint64_t walks;
    struct set *sets;
};

const char *geoip_answer_word(enum geoip_answer answer)
{
    static const char *const words[GEOIP_ANSWER_COUNT] = {
#define ANSWER(name, word) [GEOIP_##name] = word,
#include "connectors/geoip/answers.def"
#undef ANSWER
    };

    return words[answer];
}

/* --- files ---------------------------------------------------------------------------------------- */

/* All zero: it is not there. */
static struct stamp stamp_of(const char *path)
{
    struct stat about;

    if (stat(path, &about) != 0)
        return (struct stamp){0};
    return (struct stamp){about.st_ino, about.st_size, about.st_mtim};
}

static bool same_stamp(const struct stamp *a, const struct stamp *b)
{
    return a->inode == b->inode && a->bytes == b->bytes && a->changed.tv_sec == b->changed.tv_sec &&
           a->changed.tv_nsec == b->changed.tv_nsec;
}

enum err_code geoip_open(const char *path, struct geoip **out, struct err *err)
{
    struct geoip *g = MEM_NEW(struct geoip);

    *out = NULL;
    g->path = mem_copy_text(path, strlen(path));
    g->taken = g->seen = stamp_of(path);
    if (database_open(path, &g->db, err) != ERR_NONE) {
        geoip_close(g);
        return ERR_CONFIG;
    }
    g->sets = mem_alloc(SETS * sizeof *g->sets);
    *out = g;
    return ERR_NONE;
}

void geoip_close(struct geoip *g)
{
    if (g == NULL)
        return;
    database_close(g->db);
    mem_free(g->sets);
    mem_free(g->path);
    mem_free(g);
}

enum geoip_change geoip_refresh(struct geoip *g, int64_t mono_ms, struct err *err)
{
    struct database *other;
    struct stamp now;
    bool at_rest;

    if (mono_ms < g->look_ms)
        return GEOIP_SAME;
    g->look_ms = mono_ms + GEOIP_LOOK_MS;
    now = stamp_of(g->path);
    at_rest = same_stamp(&now, &g->seen);
    g->seen = now;
    if (!at_rest || same_stamp(&now, &g->taken))
        return GEOIP_SAME;
    g->taken = now;
    if (database_open(g->path, &other, err) != ERR_NONE)
        return GEOIP_REFUSED;
    database_close(g->db);
    g->db = other;
    memset(g->sets, 0, SETS * sizeof *g->sets);
    return GEOIP_SWITCHED;
}

int64_t geoip_built_s(const struct geoip *g)
{
    return database_built_s(g->db);
}

uint64_t geoip_walks(const struct geoip *g)
{
    return g->walks;
}

/* --- finding -------------------------------------------------------------------------------------- */

static int set_bits(const struct ip *ip)
{
    return ip->v4 ? IP_V4_BITS + 24 : 48;
}

static struct set *set_of(struct geoip *g, const struct ip *ip)
{
    struct str first = {(const char *)ip->bytes, (size_t)set_bits(ip) / 8};

    return &g->sets[hash_bytes(first, 0) % SETS];
}

static void fill(struct block *block, const struct str texts[GEO_COUNT])
{
    char *to = block->texts;

    for (size_t i = 0; i < GEO_COUNT; i++) {
        block->lengths[i] = (unsigned char)texts[i].len;
        if (texts[i].len != 0)
            memcpy(to, texts[i].data, texts[i].len);
        to += texts[i].len;
    }
}

static void ask(struct geoip *g, const struct ip *ip, struct block *block)
{
    struct str texts[GEO_COUNT] = {{0}};
    struct sockaddr_storage socket;
    char network[IP_BLOCK_SIZE];

    *block = (struct block){.first = *ip, .used = true, .answer = GEOIP_FOUND};
    g->walks++;
    ip_socket(ip, &socket);
    if (database_find(g->db, ip, texts, &block->bits)) {
        ip_block_text(ip, block->bits, network);
        texts[GEO_NETWORK] = str_of(network);
    } else {
        bool public = address_is_public((struct sockaddr *)&socket);
        block->answer = public ? GEOIP_UNKNOWN : GEOIP_PRIVATE;
        if (block->bits < set_bits(ip)) /* what the database lacks may be both */
            block->bits = set_bits(ip);
    }
    fill(block, texts);
}

static const struct block *find_block(struct geoip *g, const struct ip *ip)
{
    struct set *set = set_of(g, ip);
    struct block *block;

    for (size_t i = 0; i < WAYS; i++) {
        block = &set->ways[i];
        if (block->used && block->first.v4 == ip->v4 &&
            ip_same_block(&block->first, ip, block->bits))
            return block;
    }
    block = &set->ways[set->next++ % WAYS];
    ask(g, ip, block);
    return block;
}

enum geoip_answer geoip_find(struct geoip *g, struct str address, struct str out[GEO_COUNT])
{
    const struct block *block;
    const char *at;
    struct ip ip;

    memset(out, 0, GEO_COUNT * sizeof *out);
    if (!ip_read(address, &ip))
        return GEOIP_NO_ADDRESS;
    block = find_block(g, &ip);
    at = block->texts;
    for (size_t i = 0; i < GEO_COUNT; i++) {
        out[i] = (struct str){at, block->lengths[i]};
        at += block->lengths[i];
    }
    return block->answer;
}
