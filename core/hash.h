/* core/hash.h - hashes.  XXH3 for our own tables, chains and content; Kafka's murmur2 for keys. */
#ifndef ATTENT_CORE_HASH_H
#define ATTENT_CORE_HASH_H

#include <stdint.h>

#include "core/str.h"

uint64_t hash_bytes(struct str s, uint64_t seed); /* XXH3, 64 bit; the same on every machine */

struct hash128 {
    uint64_t low, high;
};
struct hash128 hash128_bytes(struct str s, struct hash128 seed); /* XXH3, 128 bit */

#define HASH128_HEX_SIZE 33 /* with NUL */
void hash128_hex(struct hash128 h, char out[HASH128_HEX_SIZE]);

/* Kafka's default partitioner: murmur2 of the key, sign bit cleared, modulo.  Agrees with the
 * Java client's DefaultPartitioner and librdkafka's murmur2_random (for keys that are there). */
int32_t hash_kafka_partition(struct str key, int32_t partition_count);

#endif
