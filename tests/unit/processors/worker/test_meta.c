#include "processors/worker/meta.h"

#include "processors/worker/blob.h"
#include "tests/support/suite.h"

static const int32_t partitions[] = {2, 3};

static void fill(struct meta *meta)
{
    struct taken_source source = {STR("identify/1"), 2, 77, {1, 2}};

    meta_init(meta, 123, 4, partitions, 2);
    meta->commit = 9;
    meta->now_ms = -5;
    meta->last = (struct hash128){9, 10};
    meta->topics[1].sent[2] = (struct chain){42, {7, 8}};
    taken_advance(&meta->taken, &source);
    source.from = STR("decide/0");
    taken_advance(&meta->taken, &source);
}

START_TEST(meta_reads_back_as_it_was)
{
    struct meta meta, back;
    struct buf bytes = {0}, again = {0};

    fill(&meta);
    meta_encode(&meta, &bytes);
    ck_assert_int_eq(meta_decode(buf_str(&bytes), partitions, 2, &back, NULL), ERR_NONE);
    ck_assert_uint_eq(back.commit, 9);
    ck_assert_int_eq(back.next, 123);
    ck_assert_int_eq(back.now_ms, -5);
    ck_assert_uint_eq(back.last.low, 9);
    ck_assert_uint_eq(back.last.high, 10);
    ck_assert_uint_eq(back.generation, 4);
    ck_assert_uint_eq(back.topics[1].sent[2].number, 42);
    ck_assert_uint_eq(back.topics[1].sent[2].hash.high, 8);
    ck_assert_uint_eq(taken_find(&back.taken, STR("identify/1"))->number, 77);
    meta_encode(&back, &again);
    ck_assert(str_equal(buf_str(&bytes), buf_str(&again)));
    meta_free(&meta);
    meta_free(&back);
    buf_free(&bytes);
    buf_free(&again);
}
END_TEST

/* Bytes that the first version has stored. */
static const char old_meta[] =
    "\x01\x22\xd4\x76\x84\x67\x7a\x77\xe9\x09\xf6\x01\x09\x04\x01\x02\x00\x2a\x07\x00\x00\x00\x00"
    "\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00\x00\x01\x0a\x69\x64\x65\x6e\x74\x69\x66\x79\x2f\x31"
    "\x02\x4d\x01\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00";

START_TEST(meta_of_the_first_version_is_read_and_knows_no_last_record)
{
    struct meta meta;

    ck_assert_int_eq(
        meta_decode((struct str){old_meta, sizeof old_meta - 1}, partitions, 1, &meta, NULL),
        ERR_NONE);
    ck_assert_int_eq(meta.next, 123);
    ck_assert_uint_eq(meta.commit, 9);
    ck_assert_uint_eq(meta.topics[0].sent[1].number, 42);
    ck_assert_uint_eq(taken_find(&meta.taken, STR("identify/1"))->number, 77);
    ck_assert_uint_eq(meta.last.low | meta.last.high, 0);
    meta_free(&meta);
}
END_TEST

START_TEST(meta_of_a_newer_version_says_what_to_do)
{
    struct meta meta;
    struct err err = {0};

    ck_assert_int_eq(meta_decode_any(STR("\x03 and what it holds"), &meta, &err), ERR_STATE);
    ck_assert_msg(strstr(err.text, "version 3: this program knows version 2 and older; start the "
                                   "newer attent") != NULL,
                  "%s", err.text);
    meta_free(&meta);
}
END_TEST

START_TEST(a_changed_byte_anywhere_is_noticed)
{
    struct meta meta, back;
    struct buf bytes = {0};

    fill(&meta);
    meta_encode(&meta, &bytes);
    for (size_t i = 0; i < bytes.len; i++) {
        bytes.data[i] = (char)(bytes.data[i] ^ 1);
        ck_assert_int_eq(meta_decode(buf_str(&bytes), partitions, 2, &back, NULL), ERR_STATE);
        meta_free(&back);
        bytes.data[i] = (char)(bytes.data[i] ^ 1);
    }
    for (size_t len = 0; len < bytes.len; len++) {
        ck_assert_int_eq(
            meta_decode(str_slice(buf_str(&bytes), 0, len), partitions, 2, &back, NULL), ERR_STATE);
        meta_free(&back);
    }
    meta_free(&meta);
    buf_free(&bytes);
}
END_TEST

START_TEST(another_number_of_partitions_is_refused)
{
    static const int32_t more[] = {2, 4};
    struct meta meta, back;
    struct buf bytes = {0};
    struct err err;

    fill(&meta);
    meta_encode(&meta, &bytes);
    ck_assert_int_eq(meta_decode(buf_str(&bytes), more, 2, &back, &err), ERR_STATE);
    ck_assert_ptr_nonnull(strstr(err.text, "had 3 partitions and has 4"));
    meta_free(&back);
    ck_assert_int_eq(meta_decode(buf_str(&bytes), partitions, 1, &back, &err), ERR_STATE);
    meta_free(&back);
    meta_free(&meta);
    buf_free(&bytes);
}
END_TEST

START_TEST(a_blob_keeps_its_timers_and_notices_damage)
{
    static const int64_t dues[] = {INT64_MAX, 0, -1, 1767225600000};
    struct step_wait waits[] = {{3, -7}, {0xfffffff0, 1767225600000}};
    struct arena *arena = arena_new(0);
    struct blob_timers timers;
    struct buf blob = {0};
    struct str inner;

    for (size_t i = 0; i < sizeof dues / sizeof dues[0]; i++) {
        blob_wrap(&blob, STR("c"), &(struct blob_timers){dues[i], waits, i % 3}, STR("state"));
        ck_assert_int_eq(blob_unwrap(STR("c"), buf_str(&blob), arena, &timers, &inner, NULL),
                         ERR_NONE);
        ck_assert_int_eq(timers.due_ms, dues[i]);
        ck_assert_uint_eq(timers.wait_count, i % 3);
        for (size_t k = 0; k < timers.wait_count; k++) {
            ck_assert_uint_eq(timers.waits[k].lane, waits[k].lane);
            ck_assert_int_eq(timers.waits[k].due_ms, waits[k].due_ms);
        }
        ck_assert(str_is(inner, "state"));
        for (size_t at = 0; at < blob.len; at++) {
            blob.data[at] = (char)(blob.data[at] ^ 4);
            ck_assert_int_eq(blob_unwrap(STR("c"), buf_str(&blob), arena, &timers, &inner, NULL),
                             ERR_STATE);
            blob.data[at] = (char)(blob.data[at] ^ 4);
        }
    }
    ck_assert_int_eq(blob_unwrap(STR("c"), STR_EMPTY, arena, &timers, &inner, NULL), ERR_NONE);
    ck_assert(timers.due_ms == STEP_NO_TIMER && timers.wait_count == 0);
    ck_assert_uint_eq(inner.len, 0);
    buf_free(&blob);
    arena_free(arena);
}
END_TEST

/* Bytes that the first version has stored. */
static const char old_plain[] = "\x01\x2d\x9a\xa6\xe6\x00state";
static const char old_timer[] = "\x01\x48\xec\x5c\xd0\x01\x80\xa0\xd5\xed\xee\x66state";

START_TEST(a_blob_of_the_first_version_is_read_and_renewed)
{
    const struct str old[] = {{old_plain, sizeof old_plain - 1}, {old_timer, sizeof old_timer - 1}};
    struct arena *arena = arena_new(0);
    struct blob_timers timers, again;
    struct str inner, renewed;

    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(blob_unwrap(STR("c"), old[i], arena, &timers, &inner, NULL), ERR_NONE);
        ck_assert(str_is(inner, "state"));
        ck_assert_int_eq(timers.due_ms, i == 0 ? STEP_NO_TIMER : 1767225600000);
        renewed = blob_renewed(STR("c"), old[i], arena);
        ck_assert_int_eq(renewed.data[0], 2);
        ck_assert_int_eq(blob_unwrap(STR("c"), renewed, arena, &again, &inner, NULL), ERR_NONE);
        ck_assert(str_is(inner, "state") && again.due_ms == timers.due_ms);
    }
    arena_free(arena);
}
END_TEST

START_TEST(a_blob_of_another_subject_or_a_newer_version_is_refused)
{
    const struct blob_timers none = {.due_ms = STEP_NO_TIMER};
    struct arena *arena = arena_new(0);
    struct blob_timers timers;
    struct buf blob = {0};
    struct str inner;
    struct err err = {0};

    blob_wrap(&blob, STR("c-anna"), &none, STR("state"));
    ck_assert_int_eq(blob_unwrap(STR("c-bob"), buf_str(&blob), arena, &timers, &inner, &err),
                     ERR_STATE);
    ck_assert_ptr_nonnull(strstr(err.text, "wrong checksum"));
    blob.data[0] = 3;
    ck_assert_int_eq(blob_unwrap(STR("c-anna"), buf_str(&blob), arena, &timers, &inner, &err),
                     ERR_STATE);
    ck_assert_ptr_nonnull(strstr(err.text, "version 3: this program knows version 2 and older"));
    buf_free(&blob);
    arena_free(arena);
}
END_TEST

SUITE_MAIN("meta", meta_reads_back_as_it_was,
           meta_of_the_first_version_is_read_and_knows_no_last_record,
           meta_of_a_newer_version_says_what_to_do, a_changed_byte_anywhere_is_noticed,
           another_number_of_partitions_is_refused, a_blob_keeps_its_timers_and_notices_damage,
           a_blob_of_the_first_version_is_read_and_renewed,
           a_blob_of_another_subject_or_a_newer_version_is_refused)
