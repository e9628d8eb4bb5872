/* The chain covers what makes a record what it is, each part with its length in front so that no
 * two contents give the same bytes (none and empty are one: clients do not keep them apart).
 * Headers that carry no meaning of their own (traces, these three) are left out: they may differ
 * between a record and its repeat.
 */
#include "schemas/chain.h"

#include <string.h>

#include "core/mem.h"
#include "core/mutant.h"

static void put_part(struct buf *scratch, struct str part)
{
    buf_put_u32(scratch, (uint32_t)part.len);
    buf_put(scratch, part);
}

static struct hash128 follow(struct hash128 before, const struct record *record,
                             struct buf *scratch)
{
    buf_clear(scratch);
    put_part(scratch, record->key);
    buf_put_u64(scratch, (uint64_t)record->timestamp_ms);
    for (size_t i = 0; i < record->header_count; i++) {
        if (!str_starts(record->headers[i].name, STR("ce_")))
            continue;
        put_part(scratch, record->headers[i].name);
        put_part(scratch, record->headers[i].value);
    }
    put_part(scratch, record->value);
    return hash128_bytes(buf_str(scratch), before);
}

/* The first record of a generation follows from the source's name and the generation. */
static struct hash128 origin(struct str from, uint64_t generation)
{
    return hash128_bytes(from, (struct hash128){generation, 0});
}

/* Decimal digits in front of `end`, without printf: each output has two of these. */
static char *put_before(char *end, uint64_t number)
{
    do {
        *--end = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    return end;
}

void chain_stamp(struct chain *last, uint64_t generation, struct str from,
                 const struct record *record, struct buf *scratch, struct chain_stamp *stamp,
                 struct header headers[CHAIN_HEADERS])
{
    struct hash128 before = last->number == 0 ? origin(from, generation) : last->hash;
    char *seq = stamp->seq + sizeof stamp->seq; /* written from its end */

    last->number++;
    last->hash = follow(before, record, scratch);
    seq = put_before(seq, last->number);
    *--seq = '.';
    seq = put_before(seq, generation);
    hash128_hex(last->hash, stamp->hash);
    headers[0] = (struct header){STR(CHAIN_FROM_HEADER), from};
    headers[1] = (struct header){STR(CHAIN_SEQ_HEADER),
                                 {seq, (size_t)(stamp->seq + sizeof stamp->seq - seq)}};
    headers[2] = (struct header){STR(CHAIN_HASH_HEADER), {stamp->hash, HASH128_HEX_SIZE - 1}};
}

/* --- reading ------------------------------------------------------------------------------- */

static bool read_number(struct str text, uint64_t *out)
{
    return str_read_number(text, out) && *out > 0;
}

static bool read_hex64(const char *hex, uint64_t *out)
{
    *out = 0;
    for (int i = 0; i < 16; i++) {
        char c = hex[i];

        if (c >= '0' && c <= '9')
            *out = *out << 4 | (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            *out = *out << 4 | (uint64_t)(c - 'a' + 10);
        else
            return false;
    }
    return true;
}

bool chain_hash_read(struct str hex, struct hash128 *out)
{
    return hex.len == HASH128_HEX_SIZE - 1 && read_hex64(hex.data, &out->high) &&
           read_hex64(hex.data + 16, &out->low);
}

static bool read_claim(const struct record *record, struct taken_source *out)
{
    struct str seq = record_header(record, STR(CHAIN_SEQ_HEADER));
    struct str generation, number;

    return out->from.len <= 255 && str_cut(seq, '.', &generation, &number) &&
           read_number(generation, &out->generation) && read_number(number, &out->number) &&
           chain_hash_read(record_header(record, STR(CHAIN_HASH_HEADER)), &out->hash);
}

static bool same_hash(struct hash128 a, struct hash128 b)
{
    return a.low == b.low && a.high == b.high;
}

static enum taken_verdict broken(const struct record *record, const struct taken_source *claim,
                                 const char *what, struct err *err)
{
    err_set(err, ERR_STATE, "%.*s/%d at %lld: record %llu.%llu of %.*s %s", STR_ARG(record->topic),
            record->partition, (long long)record->offset, (unsigned long long)claim->generation,
            (unsigned long long)claim->number, STR_ARG(claim->from), what);
    return TAKEN_BROKEN;
}

/* `last` is of the claim's generation; number 0: nothing was taken of it yet. */
static enum taken_verdict judge(const struct taken_source *last, const struct record *record,
                                const struct taken_source *claim, struct buf *scratch,
                                struct err *err)
{
    if (claim->number <= last->number && MUTANT(REPEAT_TAKEN))
        return TAKEN_NEXT;
    if (claim->number < last->number)
        return TAKEN_REPEAT;
    if (claim->number == last->number) {
        if (same_hash(claim->hash, last->hash) || same_hash(last->hash, CHAIN_UNKNOWN))
            return TAKEN_REPEAT;
        return broken(record, claim, "was sent before with other content", err);
    }
    if (claim->number > last->number + 1)
        return MUTANT(GAP_TAKEN) ? TAKEN_NEXT : TAKEN_GAP;
    if (MUTANT(CHAIN_UNCHECKED) || same_hash(last->hash, CHAIN_UNKNOWN) ||
        same_hash(follow(last->hash, record, scratch), claim->hash))
        return TAKEN_NEXT;
    return broken(record, claim, "does not follow from the one before", err);
}

enum taken_verdict taken_look(const struct taken *taken, const struct record *record,
                              struct buf *scratch, struct taken_source *out, struct err *err)
{
    struct taken_source claim = {.from = record_header(record, STR(CHAIN_FROM_HEADER))};
    const struct taken_source *last;
    struct taken_source fresh;

    if (claim.from.data == NULL)
        return TAKEN_PLAIN;
    if (!read_claim(record, &claim)) {
        err_set(err, ERR_PARSE, "%.*s/%d at %lld: malformed attent- headers",
                STR_ARG(record->topic), record->partition, (long long)record->offset);
        return TAKEN_JUNK;
    }
    last = taken_find(taken, claim.from);
    if (last != NULL && claim.generation < last->generation)
        return TAKEN_OLD;
    if (last == NULL || claim.generation > last->generation || last->number == 0) {
        fresh = (struct taken_source){claim.from, claim.generation, 0,
                                      origin(claim.from, claim.generation)};
        last = &fresh;
    }
    *out = claim;
    return judge(last, record, &claim, scratch, err);
}

/* The place of a source, or where it belongs. */
static size_t place_of(const struct taken *taken, struct str from)
{
    size_t low = 0, high = taken->count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (str_compare(taken->sources[mid].from, from) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

const struct taken_source *taken_find(const struct taken *taken, struct str from)
{
    size_t at = place_of(taken, from);

    return at < taken->count && str_equal(taken->sources[at].from, from) ? &taken->sources[at]
                                                                         : NULL;
}

void taken_advance(struct taken *taken, const struct taken_source *source)
{
    size_t at = place_of(taken, source->from);
    struct str name;

    if (at == taken->count || !str_equal(taken->sources[at].from, source->from)) {
        MEM_RESERVE(taken->sources, taken->count, taken->capacity);
        memmove(&taken->sources[at + 1], &taken->sources[at],
                (taken->count - at) * sizeof *taken->sources);
        taken->count++;
        name = (struct str){mem_copy_text(source->from.data, source->from.len), source->from.len};
    } else {
        name = taken->sources[at].from;
    }
    taken->sources[at] = *source;
    taken->sources[at].from = name;
}

void taken_free(struct taken *taken)
{
    if (taken == NULL)
        return;
    for (size_t i = 0; i < taken->count; i++)
        mem_free((char *)(uintptr_t)taken->sources[i].from.data);
    mem_free(taken->sources);
    *taken = (struct taken){0};
}
