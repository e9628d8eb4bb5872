#include "core/hash.h"
#include "tests/support/suite.h"

/* Known answers: murmur2 of Kafka's own UtilsTest (org.apache.kafka.common.utils). */
START_TEST(partitions_agree_with_the_java_client)
{
    static const struct {
        const char *key;
        int32_t murmur2;
    } cases[] = {{"21", -973932308},
                 {"foobar", -790332482},
                 {"a-little-bit-long-string", -985981536},
                 {"a-little-bit-longer-string", -1486304829},
                 {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
                 {"abc", 479470107}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ck_assert_int_eq(hash_kafka_partition(str_of(cases[i].key), 1000),
                         (cases[i].murmur2 & 0x7fffffff) % 1000);
}
END_TEST

START_TEST(a_128_bit_hash_depends_on_text_and_seed)
{
    struct hash128 a = hash128_bytes(STR("x"), (struct hash128){0, 0});
    struct hash128 b = hash128_bytes(STR("x"), (struct hash128){1, 0});
    struct hash128 c = hash128_bytes(STR("y"), (struct hash128){0, 0});
    char hex[HASH128_HEX_SIZE];

    ck_assert(a.low != b.low && a.low != c.low);
    hash128_hex(a, hex);
    ck_assert_uint_eq(strlen(hex), 32);
}
END_TEST

START_TEST(a_128_bit_hash_is_written_with_all_its_zeros)
{
    char hex[HASH128_HEX_SIZE];

    hash128_hex((struct hash128){.high = 0x0123456789abcdef, .low = 0xf0}, hex);
    ck_assert_str_eq(hex, "0123456789abcdef00000000000000f0");
}
END_TEST

SUITE_MAIN("hash", partitions_agree_with_the_java_client, a_128_bit_hash_depends_on_text_and_seed,
           a_128_bit_hash_is_written_with_all_its_zeros)
