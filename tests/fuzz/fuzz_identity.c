/* Aliases: the spelling of one, the state of one, and the records that tell of them.  What can be read is
 * written and read again, and is the same; an alias spelt again stays what it is.  The first byte says
 * which, and how it is spelt. */
#include "core/check.h"
#include "core/limit.h"
#include "processors/identify/alias.h"
#include "schemas/binding.h"
#include "schemas/identity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_spelling(uint8_t how, struct str text)
{
    struct alias_kind kind = {.name = STR("k"),
                              .form = (enum alias_form)(how % (ALIAS_EMAIL + 1)),
                              .ignore_case = how & 64,
                              .ignore_dots = how & 128,
                              .strip = how & 32 ? STR(" -.") : STR_EMPTY};
    struct buf once = {0}, twice = {0};

    kind.country = calling_code_at(how % 50);
    if (alias_put(&once, &kind, value_string(text))) {
        struct str alias = buf_str(&once), value = str_slice(alias, 2, alias.len);

        CHECK(alias.len > 2 && alias.len <= LIMIT_SUBJECT_BYTES && str_is_utf8(alias));
        if (value.data[0] != ' ' &&
            value.data[value.len - 1] != ' ') { /* blanks that strip uncovered */
            CHECK(alias_put(&twice, &kind, value_string(value)));
            CHECK(str_equal(alias, buf_str(&twice)));
        }
    }
    buf_free(&once);
    buf_free(&twice);
}

static void try_state(struct str bytes)
{
    struct arena *arena = arena_new(0);
    struct buf first = {0}, second = {0};
    struct alias *a, *again;

    if (alias_decode(STR("vin:A"), bytes, arena, &a, NULL) == ERR_NONE) {
        alias_encode(a, &first);
        CHECK(alias_decode(STR("vin:A"), buf_str(&first), arena, &again, NULL) == ERR_NONE);
        alias_encode(again, &second);
        CHECK(str_equal(buf_str(&first), buf_str(&second)));
        CHECK(alias_due_ms(a) == alias_due_ms(again));
    }
    buf_free(&first);
    buf_free(&second);
    arena_free(arena);
}

static void try_binding(struct str json)
{
    struct arena *arena = arena_new(0);
    struct buf first = {0}, second = {0};
    struct binding b, again;

    if (binding_read_json(json, arena, &b)) {
        binding_put_json(&first, &b);
        CHECK(binding_read_json(buf_str(&first), arena, &again));
        binding_put_json(&second, &again);
        CHECK(str_equal(buf_str(&first), buf_str(&second)));
    }
    buf_free(&first);
    buf_free(&second);
    arena_free(arena);
}

/* Changes of owners, two bytes each: whatever they are, they stay in order and bounded. */
static void try_owners(const uint8_t *data, size_t size)
{
    static const struct str names[] = {{"c-1", 3}, {"c-2", 3}, {"c-3", 3}, {NULL, 0}};
    struct arena *arena = arena_new(0);
    struct owners o = {.known_from_ms = INT64_MIN};
    struct str who;

    for (size_t i = 0; i + 1 < size && i < 400; i += 2) {
        struct str name = names[data[i] & 3];

        switch (data[i] >> 2 & 3) {
        case 0:
        case 1:
            if (name.len != 0)
                owners_bind(&o, name, data[i + 1], 3, arena);
            break;
        case 2: owners_unbind(&o, name, data[i + 1], 3, arena); break;
        default: owners_forget(&o, names[0], data[i + 1]); break;
        }
        CHECK(o.count <= 6);
        for (size_t k = 1; k < o.count; k++)
            CHECK(o.items[k - 1].at_ms <= o.items[k].at_ms);
        for (int64_t at_ms = 0; at_ms < 256; at_ms += 17)
            CHECK((owners_at(&o, at_ms, 20, &who) == OWNER_FOUND) == (who.len != 0));
    }
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest;

    if (size == 0)
        return 0;
    rest = (struct str){(const char *)data + 1, size - 1};
    try_spelling(data[0], rest);
    try_state(rest);
    try_binding(rest);
    try_owners(data + 1, size - 1);
    return 0;
}
