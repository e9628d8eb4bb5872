#include "connectors/geoip/geoip.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/file.h"
#include "tests/support/mmdb_writer.h"
#include "tests/support/scratch.h"
#include "tests/support/suite.h"

#define AMSTERDAM                                                                                  \
    "{\"country\":{\"iso_code\":\"NL\",\"names\":{\"en\":\"Netherlands\"}},\"city\":{\"names\":"   \
    "{\"nl\":\"Amsterdam\",\"en\":\"Amsterdam\"}},\"location\":{\"latitude\":52.37,"               \
    "\"time_zone\":\"Europe/Amsterdam\"},\"is_anonymous\":false,\"list\":[1,2]}"
#define FLAT "{\"country_code\":\"BE\",\"city\":\"Gent\",\"timezone\":\"Europe/Brussels\"}"

static struct str made(int ip_version, int record_bits)
{
    static struct buf file;
    struct mmdb_writer *w = mmdb_writer_new(ip_version, record_bits);

    mmdb_writer_add(w, "81.0.0.0/8", AMSTERDAM);
    mmdb_writer_add(w, "81.2.69.0/28", FLAT);
    mmdb_writer_add(w, "82.0.0.0/8", AMSTERDAM);
    mmdb_writer_add(w, "10.1.0.0/16", "{\"city\":\"Head office\"}");
    mmdb_writer_add(w, "83.1.2.3/32", "{\"country\":{\"iso_code\":\"this is no code\"}}");
    if (ip_version == 6)
        mmdb_writer_add(w, "2a02:a400::/24", AMSTERDAM);
    buf_clear(&file);
    mmdb_writer_put(w, &file);
    mmdb_writer_free(w);
    return buf_str(&file);
}

static const char *put(const char *dir, struct str bytes)
{
    const char *path = scratch_path(dir, "geo.mmdb");

    ck_assert_int_eq(file_write(path, bytes, NULL), ERR_NONE);
    return path;
}

static struct geoip *opened(int ip_version, int record_bits)
{
    struct geoip *g;
    struct err err = {0};

    ck_assert_msg(geoip_open(put(scratch_dir(), made(ip_version, record_bits)), &g, &err) ==
                      ERR_NONE,
                  "%s", err.text);
    return g;
}

/* "NL Amsterdam Europe/Amsterdam 81.0.0.0/8", or the answer */
static const char *found(struct geoip *g, const char *address)
{
    static char line[512];
    struct str out[GEO_COUNT];
    enum geoip_answer answer = geoip_find(g, str_of(address), out);

    snprintf(line, sizeof line, "%.*s %.*s %.*s %.*s", STR_ARG(out[GEO_COUNTRY]),
             STR_ARG(out[GEO_PLACE]), STR_ARG(out[GEO_TIME_ZONE]), STR_ARG(out[GEO_NETWORK]));
    if (answer != GEOIP_FOUND) {
        ck_assert_str_eq(line, "   ");
        return geoip_answer_word(answer);
    }
    return line;
}

START_TEST(an_address_is_where_its_block_is)
{
    static const struct {
        const char *address, *expected;
    } cases[] = {
        {"81.1.2.3", "NL Amsterdam Europe/Amsterdam 81.0.0.0/15"},
        {"81.2.69.15", "BE Gent Europe/Brussels 81.2.69.0/28"},
        {"81.2.69.16", "NL Amsterdam Europe/Amsterdam 81.2.69.16/28"},
        {" 82.1.2.3 ", "NL Amsterdam Europe/Amsterdam 82.0.0.0/8"},
        {"::ffff:82.1.2.3", "NL Amsterdam Europe/Amsterdam 82.0.0.0/8"},
        {"::FFFF:5201:0203", "NL Amsterdam Europe/Amsterdam 82.0.0.0/8"},
        {"82.1.2.3:443", "NL Amsterdam Europe/Amsterdam 82.0.0.0/8"},
        {"10.1.2.3", " Head office  10.1.0.0/16"},
        {"10.2.2.3", "private"},
        {"::ffff:192.168.1.1", "private"},
        {"127.0.0.1", "private"},
        {"::1", "private"},
        {"fe80::1", "private"},
        {"84.1.2.3", "unknown"},
        {"2c00::1", "unknown"},
        {"83.1.2.3", "   83.1.2.3/32"}, /* no code of a country is longer than its limit */
        {"", "no_address"},
        {"localhost", "no_address"},
        {"82.1.2", "no_address"},
        {"82.1.2.3.4", "no_address"},
        {"082.1.2.3", "no_address"},
        {"82.1.2.256", "no_address"},
        {"82.1.2.3, 10.0.0.1", "no_address"},
        {"82.1.2.3:port", "no_address"},
        {"[2a02:a400::1", "no_address"},
        {"[2a02:a400::1]x", "no_address"},
        {"fe80::1%eth0", "no_address"},
        {"1:2:3:4:5:6:7:8:9", "no_address"},
    };
    static const int record_bits[] = {24, 28, 32};

    for (size_t r = 0; r < 3; r++)
        for (int version = 4; version <= 6; version += 2) {
            struct geoip *g = opened(version, record_bits[r]);
            for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
                ck_assert_str_eq(found(g, cases[i].address), cases[i].expected);
            ck_assert_str_eq(found(g, "2a02:a400::1"),
                             version == 6 ? "NL Amsterdam Europe/Amsterdam 2a02:a400::/24"
                                          : "unknown");
            ck_assert_str_eq(found(g, "[2a02:a4ff::1]:443"),
                             version == 6 ? "NL Amsterdam Europe/Amsterdam 2a02:a400::/24"
                                          : "unknown");
            geoip_close(g);
        }
}
END_TEST

/* --- the cache -------------------------------------------------------------------------------------- */

START_TEST(a_block_is_asked_for_once)
{
    struct geoip *g = opened(6, 28);

    for (int i = 0; i < 256; i++) {
        char address[32];
        snprintf(address, sizeof address, "82.1.2.%d", i);
        ck_assert_str_eq(found(g, address), "NL Amsterdam Europe/Amsterdam 82.0.0.0/8");
    }
    ck_assert_uint_eq(geoip_walks(g), 1);
    found(g, "81.2.69.1");
    found(g, "81.2.69.15");
    ck_assert_uint_eq(geoip_walks(g), 2);
    ck_assert_str_eq(found(g, "81.2.69.16"), "NL Amsterdam Europe/Amsterdam 81.2.69.16/28");
    ck_assert_uint_eq(geoip_walks(g), 3);
    found(g, "::ffff:81.2.69.2");
    found(g, "84.0.0.1");
    found(g, "84.0.0.2");
    ck_assert_uint_eq(geoip_walks(g), 4);
    geoip_close(g);
}
END_TEST

START_TEST(many_addresses_through_the_cache_are_what_they_are_without)
{
    struct geoip *g = opened(6, 24);
    uint32_t seed = 1;

    for (int i = 0; i < 50000; i++) {
        struct geoip *other = NULL;
        char address[32], first[512];
        seed = seed * 1664525 + 1013904223;
        snprintf(address, sizeof address, "%d.%d.%d.%d", 80 + (int)(seed >> 30),
                 (int)(seed >> 28) & 3, 68 + ((int)(seed >> 20) & 3), (int)(seed >> 8) & 31);
        snprintf(first, sizeof first, "%s", found(g, address));
        if (i % 500 == 0) {
            other = opened(6, 24);
            ck_assert_str_eq(found(other, address), first);
            geoip_close(other);
        }
    }
    ck_assert_uint_lt(geoip_walks(g), 5000);
    geoip_close(g);
}
END_TEST

/* --- another file ------------------------------------------------------------------------------------ */

static struct str short_of(struct str file, size_t bytes)
{
    return str_slice(file, 0, file.len - bytes);
}

static struct str in_belgium(void)
{
    static struct buf file;
    struct mmdb_writer *w = mmdb_writer_new(4, 24);

    mmdb_writer_add(w, "82.0.0.0/8", FLAT);
    buf_clear(&file);
    mmdb_writer_put(w, &file);
    mmdb_writer_free(w);
    return buf_str(&file);
}

START_TEST(a_new_file_is_taken_while_it_runs_and_a_broken_one_is_refused)
{
    const char *dir = scratch_dir(), *path = put(dir, made(6, 28));
    int64_t now_ms = 1000;
    struct err err = {0};
    struct geoip *g;

    ck_assert_int_eq(geoip_open(path, &g, &err), ERR_NONE);
    ck_assert_int_eq(geoip_built_s(g), MMDB_WRITER_BUILT_S);
    ck_assert_str_eq(found(g, "82.1.2.3"), "NL Amsterdam Europe/Amsterdam 82.0.0.0/8");
    ck_assert_int_eq(geoip_refresh(g, now_ms, &err), GEOIP_SAME);

    put(dir, short_of(made(6, 28), 40)); /* broken: seen, at rest, refused once */
    ck_assert_int_eq(geoip_refresh(g, now_ms + 1, &err), GEOIP_SAME); /* not looked at yet */
    ck_assert_int_eq(geoip_refresh(g, now_ms += GEOIP_LOOK_MS, &err), GEOIP_SAME);
    ck_assert_int_eq(geoip_refresh(g, now_ms += GEOIP_LOOK_MS, &err), GEOIP_REFUSED);
    ck_assert_ptr_nonnull(strstr(err.text, "geo.mmdb is no database of addresses"));
    ck_assert_int_eq(geoip_refresh(g, now_ms += GEOIP_LOOK_MS, &err), GEOIP_SAME);
    ck_assert_str_eq(found(g, "82.1.2.3"), "NL Amsterdam Europe/Amsterdam 82.0.0.0/8");

    put(dir, in_belgium());
    ck_assert_int_eq(geoip_refresh(g, now_ms += GEOIP_LOOK_MS, &err), GEOIP_SAME);
    ck_assert_int_eq(geoip_refresh(g, now_ms += GEOIP_LOOK_MS, &err), GEOIP_SWITCHED);
    ck_assert_str_eq(found(g, "82.1.2.3"), "BE Gent Europe/Brussels 82.0.0.0/8");

    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(geoip_refresh(g, now_ms += GEOIP_LOOK_MS, &err), GEOIP_SAME);
    ck_assert_int_eq(geoip_refresh(g, now_ms += GEOIP_LOOK_MS, &err), GEOIP_REFUSED);
    ck_assert_str_eq(found(g, "82.1.2.3"), "BE Gent Europe/Brussels 82.0.0.0/8");
    geoip_close(g);
}
END_TEST

/* The file under an open database is cut to nothing, in place, as `cp` does it. */
START_TEST(a_file_that_is_written_over_in_place_harms_nothing)
{
    const char *path = put(scratch_dir(), made(6, 28));
    struct geoip *g;

    ck_assert_int_eq(geoip_open(path, &g, NULL), ERR_NONE);
    ck_assert_int_eq(truncate(path, 0), 0);
    ck_assert_str_eq(found(g, "82.1.2.3"), "NL Amsterdam Europe/Amsterdam 82.0.0.0/8");
    geoip_close(g);
}
END_TEST

/* --- what cannot be used ------------------------------------------------------------------------------ */

static void refused(struct str bytes, const char *why)
{
    const char *path = put(scratch_dir(), bytes);
    struct geoip *g;
    struct err err = {0};

    ck_assert_int_eq(geoip_open(path, &g, &err), ERR_CONFIG);
    ck_assert_ptr_null(g);
    ck_assert_msg(strstr(err.text, why) != NULL, "%s", err.text);
}

static struct str with_byte(struct str file, size_t at, int byte)
{
    static char copy[1 << 16];

    ck_assert_uint_lt(file.len, sizeof copy);
    memmove(copy, file.data, file.len);
    copy[at] = (char)byte;
    return (struct str){copy, file.len};
}

START_TEST(what_is_no_sound_database_is_refused_with_the_reason)
{
    struct geoip *g;
    struct err err = {0};
    struct mmdb_writer *w = mmdb_writer_new(4, 24);
    struct buf file = {0};
    size_t record;

    ck_assert_int_eq(geoip_open("/nowhere/geo.mmdb", &g, &err), ERR_CONFIG);
    ck_assert_str_eq(err.text, "/nowhere/geo.mmdb cannot be read: No such file or directory");
    ck_assert_int_eq(geoip_open("/tmp", &g, &err), ERR_CONFIG);
    ck_assert_str_eq(err.text, "/tmp is no database of addresses that can be used: it is no file");
    refused(STR_EMPTY, "metadata is missing");
    refused(STR("country,from,to\nNL,1.2.3.4,1.2.3.5\n"), "metadata is missing");
    refused(short_of(made(4, 24), 3), "metadata is missing or broken");

    mmdb_writer_add(w, "82.0.0.0/8", FLAT);
    mmdb_writer_put(w, &file);
    record = 8 * 6 + 16; /* eight nodes, the separator: the one record */
    refused(with_byte(buf_str(&file), 3, 0xff), "its search tree or its data is broken");
    refused(with_byte(buf_str(&file), record, 0xff), "its search tree or its data is broken");
    refused(with_byte(buf_str(&file), record, 1 << 5), "its search tree or its data is broken");
    /* its first value is a pointer to the record: round and round */
    refused(with_byte(with_byte(buf_str(&file), record + 14, 1 << 5), record + 15, 0),
            "its search tree or its data is broken");
    mmdb_writer_free(w);
    buf_free(&file);
}
END_TEST

/* --- a real one --------------------------------------------------------------------------------------- */

START_TEST(a_real_database_knows_where_its_owner_is)
{
    static const char path[] = "build/geoip/geo-whois-asn-country.mmdb";
    struct geoip *g;
    struct err err = {0};

    if (!file_exists(path)) {
        fprintf(stderr, "geoip: skipped, there is no %s (deploy/geoip/fetch test)\n", path);
        return;
    }
    ck_assert_msg(geoip_open(path, &g, &err) == ERR_NONE, "%s", err.text);
    ck_assert_int_gt(geoip_built_s(g), 1577836800);                  /* 2020 */
    ck_assert_int_eq(strncmp(found(g, "193.0.6.139"), "NL ", 3), 0); /* RIPE NCC */
    ck_assert_int_eq(strncmp(found(g, "2001:67c:2e8::1"), "NL ", 3), 0);
    ck_assert_int_eq(strncmp(found(g, "::ffff:193.0.6.139"), "NL ", 3), 0);
    ck_assert_str_eq(found(g, "10.0.0.1"), "private");
    geoip_close(g);
}
END_TEST

SUITE_MAIN("geoip", an_address_is_where_its_block_is, a_block_is_asked_for_once,
           many_addresses_through_the_cache_are_what_they_are_without,
           a_new_file_is_taken_while_it_runs_and_a_broken_one_is_refused,
           a_file_that_is_written_over_in_place_harms_nothing,
           what_is_no_sound_database_is_refused_with_the_reason,
           a_real_database_knows_where_its_owner_is)
