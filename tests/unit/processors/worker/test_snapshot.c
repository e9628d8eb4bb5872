#include "processors/worker/snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/file.h"
#include "processors/worker/blob.h"
#include "processors/worker/meta.h"
#include "tests/support/scratch.h"
#include "tests/support/suite.h"

static const char *const names[] = {"", "c-anna", "c-bob"};

static struct snapshot make(struct arena *arena)
{
    static const int32_t partitions[] = {2};
    struct snapshot s = {
        .step = STR("decide"),
        .partition = 3,
        .taken_ms = 1767225600000,
        .copy = {.identity = STR("group g, topic t of 4 partitions"), .commit = 12, .count = 3}};
    struct step_wait wait = {3, 99};
    struct buf out = {0};
    struct meta meta;

    meta_init(&meta, 77, 1, partitions, 1);
    meta.commit = 12;
    meta_encode(&meta, &out);
    s.copy.meta = arena_str(arena, buf_str(&out));
    meta_free(&meta);
    s.copy.subjects = ARENA_ARRAY(arena, struct store_subject, 3);
    for (size_t i = 0; i < 3; i++) {
        blob_wrap(&out, str_of(names[i]),
                  &(struct blob_timers){i == 1 ? 1767225600000 : STEP_NO_TIMER, &wait, i / 2},
                  STR("state"));
        s.copy.subjects[i] = (struct store_subject){.subject = str_of(names[i]),
                                                    .blob = arena_str(arena, buf_str(&out))};
    }
    buf_free(&out);
    return s;
}

START_TEST(a_snapshot_reads_back_as_it_was)
{
    struct arena *arena = arena_new(0);
    struct snapshot s = make(arena), back;
    const char *dir = scratch_dir();
    struct str path = snapshot_path(arena, dir, "decide", 3);
    struct err err = {0};

    ck_assert(str_ends(path, STR("/decide-3.snapshot")));
    ck_assert_int_eq(snapshot_write(path.data, &s, &err), ERR_NONE);
    ck_assert_msg(snapshot_read(path.data, arena, &back, &err) == ERR_NONE, "%s", err.text);
    ck_assert(str_is(back.step, "decide") && back.partition == 3);
    ck_assert_int_eq(back.taken_ms, s.taken_ms);
    ck_assert(str_equal(back.copy.identity, s.copy.identity) && back.copy.commit == 12);
    ck_assert(str_equal(back.copy.meta, s.copy.meta));
    ck_assert_uint_eq(back.copy.count, 3);
    for (size_t i = 0; i < 3; i++) {
        ck_assert(str_equal(back.copy.subjects[i].subject, s.copy.subjects[i].subject));
        ck_assert(str_equal(back.copy.subjects[i].blob, s.copy.subjects[i].blob));
    }
    scratch_remove(dir);
    arena_free(arena);
}
END_TEST

START_TEST(damage_anywhere_and_a_cut_are_noticed)
{
    struct arena *arena = arena_new(0);
    struct snapshot s = make(arena), back;
    struct buf out = {0};
    struct err err = {0};

    snapshot_encode(&s, &out);
    for (size_t at = 0; at < out.len; at++) {
        out.data[at] = (char)(out.data[at] ^ 4);
        ck_assert_int_eq(snapshot_decode(buf_str(&out), arena, &back, &err), ERR_STATE);
        out.data[at] = (char)(out.data[at] ^ 4);
        ck_assert_int_eq(snapshot_decode(str_slice(buf_str(&out), 0, at), arena, &back, &err),
                         ERR_STATE);
    }
    ck_assert_int_eq(snapshot_decode(buf_str(&out), arena, &back, &err), ERR_NONE);
    out.data[sizeof "attent-snapshot" - 1] = 2;
    ck_assert_int_eq(snapshot_decode(buf_str(&out), arena, &back, &err), ERR_STATE);
    ck_assert_ptr_nonnull(strstr(err.text, "version 2: this program knows version 1"));
    buf_free(&out);
    arena_free(arena);
}
END_TEST

START_TEST(what_is_wrong_inside_is_refused_although_the_checksum_is_right)
{
    struct arena *arena = arena_new(0);
    struct snapshot s = make(arena), back;
    struct store_subject swapped = s.copy.subjects[1];
    struct buf out = {0};
    struct err err = {0};

    s.copy.commit = 13; /* meta says 12 */
    snapshot_encode(&s, &out);
    ck_assert_int_eq(snapshot_decode(buf_str(&out), arena, &back, &err), ERR_STATE);
    s.copy.commit = 12;
    s.copy.subjects[1] = s.copy.subjects[2];
    s.copy.subjects[2] = swapped; /* out of order */
    buf_clear(&out);
    snapshot_encode(&s, &out);
    ck_assert_int_eq(snapshot_decode(buf_str(&out), arena, &back, &err), ERR_STATE);
    s = make(arena);
    s.copy.subjects[1].blob = s.copy.subjects[2].blob; /* another customer's */
    buf_clear(&out);
    snapshot_encode(&s, &out);
    ck_assert_int_eq(snapshot_decode(buf_str(&out), arena, &back, &err), ERR_STATE);
    ck_assert_ptr_nonnull(strstr(err.text, "wrong checksum"));
    buf_free(&out);
    arena_free(arena);
}
END_TEST

/* The seed of tests/fuzz/corpus/snapshot, written once by this; so what this version wrote is read
 * by those after it. */
START_TEST(a_stored_file_of_version_1_is_read)
{
    struct arena *arena = arena_new(0);
    struct snapshot s = make(arena), back;
    struct err err = {0};

    if (getenv("UPDATE_FIXTURES") != NULL)
        ck_assert_int_eq(snapshot_write("tests/fuzz/corpus/snapshot/three", &s, &err), ERR_NONE);
    ck_assert_msg(snapshot_read("tests/fuzz/corpus/snapshot/three", arena, &back, &err) == ERR_NONE,
                  "%s", err.text);
    ck_assert(back.copy.count == 3 && back.partition == 3 && back.copy.commit == 12);
    arena_free(arena);
}
END_TEST

SUITE_MAIN("snapshot", a_snapshot_reads_back_as_it_was, damage_anywhere_and_a_cut_are_noticed,
           what_is_wrong_inside_is_refused_although_the_checksum_is_right,
           a_stored_file_of_version_1_is_read)
