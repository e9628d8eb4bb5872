#include "core/hash.h"

#define XXH_INLINE_ALL /* the state on the stack; faster for short keys */
#include <xxhash.h>

#include "core/check.h"

uint64_t hash_bytes(struct str s, uint64_t seed)
{
    return XXH3_64bits_withSeed(s.data, s.len, seed);
}

/* The 128-bit seed is the secret-free way to chain: hash the seed's bytes in front. */
struct hash128 hash128_bytes(struct str s, struct hash128 seed)
{
    XXH3_state_t state;
    XXH128_hash_t h;

    CHECK(XXH3_128bits_reset(&state) == XXH_OK);
    XXH3_128bits_update(&state, &seed, sizeof seed);
    XXH3_128bits_update(&state, s.data, s.len);
    h = XXH3_128bits_digest(&state);
    return (struct hash128){h.low64, h.high64};
}

void hash128_hex(struct hash128 h, char out[HASH128_HEX_SIZE])
{
    static const char digits[] = "0123456789abcdef";

    for (int i = 0; i < 16; i++) { /* without printf: each numbered output has one */
        out[i] = digits[h.high >> (60 - 4 * i) & 15];
        out[16 + i] = digits[h.low >> (60 - 4 * i) & 15];
    }
    out[HASH128_HEX_SIZE - 1] = '\0';
}

/* MurmurHash2, 32 bit, seed as in Kafka's org.apache.kafka.common.utils.Utils.murmur2. */
static uint32_t murmur2(struct str key)
{
    const uint32_t m = 0x5bd1e995;
    const unsigned char *p = (const unsigned char *)key.data;
    uint32_t h = 0x9747b28c ^ (uint32_t)key.len;
    size_t left = key.len;

    for (; left >= 4; p += 4, left -= 4) {
        uint32_t k = p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
        k *= m;
        k ^= k >> 24;
        h = h * m ^ k * m;
    }
    if (left >= 3)
        h ^= (uint32_t)p[2] << 16;
    if (left >= 2)
        h ^= (uint32_t)p[1] << 8;
    if (left >= 1)
        h = (h ^ p[0]) * m;
    h ^= h >> 13;
    h *= m;
    return h ^ h >> 15;
}

int32_t hash_kafka_partition(struct str key, int32_t partition_count)
{
    CHECK(partition_count > 0);
    return (int32_t)((murmur2(key) & 0x7fffffff) % (uint32_t)partition_count);
}
