#include "connectors/redis/address.h"

#include "tests/support/suite.h"

static struct redis_address address;

static const struct redis_address *read_it(const char *text)
{
    struct err err = {0};

    ck_assert_msg(redis_address_read(str_of(text), &address, &err) == ERR_NONE, "%s: %s", text,
                  err.text);
    return &address;
}

static void is_one(const char *text, const char *host, int port, const char *shown)
{
    const struct redis_address *a = read_it(text);

    ck_assert(!a->cluster && a->count == 1);
    ck_assert_str_eq(a->nodes[0].host, host);
    ck_assert_int_eq(a->nodes[0].port, port);
    ck_assert_str_eq(a->nodes[0].text, shown);
}

START_TEST(one_server_is_named_in_several_ways)
{
    is_one("127.0.0.1:7000", "127.0.0.1", 7000, "127.0.0.1:7000");
    is_one("redis", "redis", 6379, "redis:6379");
    is_one("[::1]:7000", "::1", 7000, "[::1]:7000");
    is_one("[::1]", "::1", 6379, "[::1]:6379");
    is_one("unix:/run/redis.sock", "/run/redis.sock", 0, "unix:/run/redis.sock");
    is_one("redis://redis", "redis", 6379, "redis:6379");
    is_one("redis://redis:7000/", "redis", 7000, "redis:7000");
    is_one("redis://[::1]:7000/0", "::1", 7000, "[::1]:7000");
    ck_assert(!read_it("redis://redis")->tls);
    ck_assert(read_it("rediss://redis")->tls);
}
END_TEST

START_TEST(a_cluster_names_some_of_its_nodes)
{
    const struct redis_address *a = read_it("redis+cluster://a:1,b, [::1]:3/0");

    ck_assert(a->cluster && !a->tls);
    ck_assert_uint_eq(a->count, 3);
    ck_assert_str_eq(a->nodes[0].text, "a:1");
    ck_assert_str_eq(a->nodes[1].text, "b:6379");
    ck_assert_str_eq(a->nodes[2].text, "[::1]:3");
    a = read_it("rediss+cluster://a:1");
    ck_assert(a->cluster && a->tls && a->count == 1);
}
END_TEST

static void lets_in(const char *text, const char *user, const char *password)
{
    const struct redis_address *a = read_it(text);

    ck_assert_str_eq(a->user, user);
    ck_assert_str_eq(a->password, password);
    ck_assert_str_eq(a->nodes[0].host, "h");
}

START_TEST(user_and_password_stand_before_the_last_at)
{
    lets_in("redis://h", "", "");
    lets_in("redis://attent@h", "attent", "");
    lets_in("redis://attent:secret@h:1", "attent", "secret");
    lets_in("redis://:secret@h", "", "secret");
    lets_in("redis+cluster://a%40b:p%3Aq%25@h:1,i:2", "a@b", "p:q%");
    lets_in("redis://u:a@b/c:d@h", "u", "a@b/c:d"); /* as it stands in a file */
    lets_in("redis://u:100%@h", "u", "100%");
}
END_TEST

START_TEST(a_wrong_address_is_refused_without_its_password)
{
    static const char *const wrong[] = {"",
                                        "a:1,b:2",
                                        "redis://a:1,b:2",
                                        "redis://u:geheim@a:99999",
                                        "redis://u:geheim@a:1/7",
                                        "redis://u:geheim@",
                                        "u:geheim@a:1",
                                        "redis+cluster://u:geheim@a:1,,b:2",
                                        "redis+cluster://u:ge%00heim@a:1",
                                        "http://u:geheim@a:1",
                                        "[::1:6379",
                                        "[::1]6379",
                                        "a:x",
                                        "a:0"};

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct err err = {0};

        ck_assert_msg(redis_address_read(str_of(wrong[i]), &address, &err) == ERR_CONFIG, "%s",
                      wrong[i]);
        ck_assert_msg(strstr(err.text, "redis.address") != NULL, "%s", err.text);
        ck_assert_msg(strstr(err.text, "heim") == NULL, "%s", err.text);
    }
}
END_TEST

SUITE_MAIN("address", one_server_is_named_in_several_ways, a_cluster_names_some_of_its_nodes,
           user_and_password_stand_before_the_last_at,
           a_wrong_address_is_refused_without_its_password)
