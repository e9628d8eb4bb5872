#include "connectors/redis/slots.h"

#include <stdio.h>

#include "tests/support/suite.h"

/* Published: the check value of CRC-16/XMODEM, and the example of the Redis Cluster specification. */
START_TEST(crc16_is_that_of_the_specification)
{
    ck_assert_uint_eq(slots_crc16(STR("123456789")), 0x31C3);
    ck_assert_uint_eq(slots_crc16(STR_EMPTY), 0);
    ck_assert_int_eq(slots_of_key(STR("123456789")), 0x31C3 % SLOTS_COUNT);
    ck_assert_int_eq(slots_of_key(STR("foo")), 12182); /* what CLUSTER KEYSLOT says */
    ck_assert_int_eq(slots_of_key(STR("a")), 15495);
}
END_TEST

/* The examples of the specification. */
START_TEST(a_hash_tag_is_what_counts)
{
    ck_assert(str_is(slots_hash_part(STR("{user1000}.following")), "user1000"));
    ck_assert(str_is(slots_hash_part(STR("foo{}{bar}")), "foo{}{bar}"));
    ck_assert(str_is(slots_hash_part(STR("foo{{bar}}zap")), "{bar"));
    ck_assert(str_is(slots_hash_part(STR("foo{bar}{zap}")), "bar"));
    ck_assert(str_is(slots_hash_part(STR("no{end")), "no{end"));
    ck_assert_int_eq(slots_of_key(STR("{decide:7}:meta")), slots_of_key(STR("{decide:7}:s:c-1")));
    ck_assert_int_eq(slots_of_key(STR("{decide:7}:s:{x}")), slots_of_key(STR("decide:7")));
}
END_TEST

/* --- CLUSTER SLOTS ---------------------------------------------------------------------------- */

struct ranges {
    int count, last;
    char text[512];
};

static void take(void *context, int first, int last, const struct slots_place *primary)
{
    struct ranges *r = context;
    size_t used = strlen(r->text);

    snprintf(r->text + used, sizeof r->text - used, "%d-%d at %.*s:%d;", first, last,
             STR_ARG(primary->host), primary->port);
    r->count++;
    r->last = last;
}

static bool read_slots(const char *wire, struct ranges *r, struct err *err)
{
    struct redis_reply *reply = redis_reply_read(str_of(wire));
    bool fine;

    ck_assert_ptr_nonnull(reply);
    *r = (struct ranges){0};
    fine = slots_read(reply, r, take, err);
    redis_reply_free(reply);
    return fine;
}

#define NODE(host_size, host) "*3\r\n$" host_size "\r\n" host "\r\n:6379\r\n$1\r\nn\r\n"

START_TEST(slots_are_read_as_redis_6_and_7_tell_them)
{
    struct ranges r;

    ck_assert(read_slots("*2\r\n*4\r\n:0\r\n:8191\r\n" NODE("8", "10.0.0.1")
                             NODE("8", "10.0.0.2") "*3\r\n:8192\r\n:16383\r\n" NODE("2", "h2"),
                         &r, NULL));
    ck_assert_str_eq(r.text, "0-8191 at 10.0.0.1:6379;8192-16383 at h2:6379;");
    /* 7: metadata behind the id; a node that does not know its name says nil, or ? */
    ck_assert(
        read_slots("*2\r\n*3\r\n:5\r\n:5\r\n*4\r\n$-1\r\n:7001\r\n$1\r\nn\r\n*2\r\n$2\r\nip\r\n"
                   "$1\r\nx\r\n*3\r\n:6\r\n:6\r\n" NODE("1", "?"),
                   &r, NULL));
    ck_assert_str_eq(r.text, "5-5 at :7001;6-6 at :6379;");
    ck_assert(read_slots("*0\r\n", &r, NULL));
    ck_assert_int_eq(r.count, 0);
}
END_TEST

START_TEST(slots_that_make_no_sense_are_refused)
{
    static const char *const wrong[] = {
        "*1\r\n*2\r\n:0\r\n:1\r\n",                                /* no node */
        "*1\r\n*3\r\n:0\r\n:16384\r\n" NODE("1", "h"),             /* beyond the last slot */
        "*1\r\n*3\r\n:9\r\n:8\r\n" NODE("1", "h"),                 /* ends before it begins */
        "*1\r\n*3\r\n:-1\r\n:8\r\n" NODE("1", "h"),                /* begins before the first */
        "*1\r\n*3\r\n:0\r\n:4294967296\r\n" NODE("1", "h"),        /* is no int */
        "*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$1\r\nh\r\n:0\r\n",         /* no port */
        "*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$1\r\nh\r\n$4\r\n6379\r\n", /* a port in words */
        "*1\r\n:3\r\n",
    };
    struct ranges r;
    struct err err;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        ck_assert_msg(!read_slots(wrong[i], &r, &err), "%s", wrong[i]);
        ck_assert_str_eq(err.text, "CLUSTER SLOTS: range 1 makes no sense");
    }
    ck_assert(!read_slots("-ERR This instance has cluster support disabled\r\n", &r, &err));
    ck_assert_str_eq(err.text, "CLUSTER SLOTS: ERR This instance has cluster support disabled");
}
END_TEST

/* --- redirects -------------------------------------------------------------------------------- */

static void redirects(const char *text, bool ask, int slot, const char *host, int port)
{
    struct slots_redirect r;

    ck_assert_msg(slots_read_redirect(str_of(text), &r), "%s", text);
    ck_assert_int_eq(r.ask, ask);
    ck_assert_int_eq(r.slot, slot);
    ck_assert(str_is(r.to.host, host));
    ck_assert_int_eq(r.to.port, port);
}

START_TEST(redirects_are_read)
{
    redirects("MOVED 3999 127.0.0.1:6381", false, 3999, "127.0.0.1", 6381);
    redirects("ASK 0 redis-2.example:1", true, 0, "redis-2.example", 1);
    redirects("MOVED 16383 2001:db8::7:6379", false, 16383, "2001:db8::7", 6379);
    redirects("MOVED 5 :7001", false, 5, "", 7001); /* where it was asked */
    redirects("ASK 5 ?:7001", true, 5, "", 7001);
}
END_TEST

START_TEST(what_is_no_redirect_is_refused)
{
    static const char *const wrong[] = {
        "",           "MOVED",           "MOVED 5",        "MOVED 16384 h:1", "MOVED -1 h:1",
        "ASK 5 h:",   "MOVED 5 h:65536", "MOVED 5 h:0",    "MOVED 5 h",       "MOVED  5 h:1",
        "MOVE 5 h:1", "moved 5 h:1",     "TRYAGAIN x y:1", "MOVED 5 h:1 ",    "MOVED 123456 h:1"};
    struct slots_redirect r;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        ck_assert_msg(!slots_read_redirect(str_of(wrong[i]), &r), "%s", wrong[i]);
}
END_TEST

SUITE_MAIN("slots", crc16_is_that_of_the_specification, a_hash_tag_is_what_counts,
           slots_are_read_as_redis_6_and_7_tell_them, slots_that_make_no_sense_are_refused,
           redirects_are_read, what_is_no_redirect_is_refused)
