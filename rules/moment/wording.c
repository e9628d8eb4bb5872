#include "rules/moment/wording.h"

#include <stdio.h>
#include <string.h>

#include "core/check.h"
#include "core/phrase.h"
#include "core/value.h"
#include "core/when.h"
#include "rules/cel/cel.h"

/* 1,900 years around 1970 have four digits at most. */
#define FOUR_DIGITS_S (1900 * 365 * (int64_t)86400)

static const struct {
    const char *tag;
    char decimal, thousands;
    const char *months[12];
} tongues[TONGUE_COUNT] = {
    [TONGUE_EN] = {"en",
                   '.',
                   ',',
                   {"January", "February", "March", "April", "May", "June", "July", "August",
                    "September", "October", "November", "December"}},
    [TONGUE_NL] = {"nl",
                   ',',
                   '.',
                   {"januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus",
                    "september", "oktober", "november", "december"}},
};

static const char *const phrases[WORDING_COUNT][TONGUE_COUNT] = {
#define WORDING(name, en, nl) [WORDING_##name] = {en, nl},
#include "rules/moment/wording.def"
#undef WORDING
};

bool tongue_of(struct str language, enum tongue *tongue)
{
    for (int i = 0; i < TONGUE_COUNT; i++)
        if (language_equal(language_primary(language), str_of(tongues[i].tag))) {
            *tongue = (enum tongue)i;
            return true;
        }
    return false;
}

struct str tongue_language(enum tongue tongue)
{
    return str_of(tongues[tongue].tag);
}

/* --- phrases ------------------------------------------------------------------------------------- */

static void put_filled(struct buf *out, struct str phrase, struct words words)
{
    for (size_t i = 0; i < phrase.len; i++) {
        char after = i + 1 < phrase.len ? phrase.data[i + 1] : '\0';
        if (phrase.data[i] == '%' && after >= '1' && after <= '5')
            buf_put(out, words.at[phrase.data[++i] - '1']);
        else
            buf_put_char(out, phrase.data[i]);
    }
}

static struct str filled(struct arena *arena, struct str phrase, struct words words)
{
    struct buf out = {0};
    struct str said;

    put_filled(&out, phrase, words);
    said = arena_str(arena, buf_str(&out));
    buf_free(&out);
    return said;
}

struct str wording_say(struct arena *arena, enum tongue tongue, enum wording wording,
                       struct words words)
{
    return filled(arena, str_of(phrases[wording][tongue]), words);
}

/* Turned first: brackets in what is put in stay as they are. */
struct str wording_turn(struct arena *arena, enum tongue tongue, enum wording wording, bool so,
                        struct words words)
{
    struct buf phrase = {0};
    struct str said;

    phrase_say(&phrase, str_of(phrases[wording][tongue]), so);
    said = filled(arena, buf_str(&phrase), words);
    buf_free(&phrase);
    return said;
}

struct str wording_upper(struct arena *arena, struct str text)
{
    char *copy = arena_copy(arena, text.data, text.len);

    if (text.len != 0 && copy[0] >= 'a' && copy[0] <= 'z')
        copy[0] = (char)(copy[0] - 'a' + 'A');
    return (struct str){copy, text.len};
}

/* --- numbers, spans, times ------------------------------------------------------------------------ */

void wording_put_number(struct buf *out, enum tongue tongue, double number, bool grouped)
{
    struct buf plain = {0};
    struct str text, whole;
    size_t digits = 0;
    bool plain_digits;

    cel_print(&plain, value_double(number));
    text = buf_str(&plain);
    while (digits < text.len &&
           (text.data[digits] == '-' || (text.data[digits] >= '0' && text.data[digits] <= '9')))
        digits++;
    whole = str_slice(text, 0, digits);
    plain_digits = digits == text.len || text.data[digits] == '.';
    for (size_t i = 0; i < whole.len; i++) {
        size_t left = whole.len - i;
        if (grouped && plain_digits && i > (whole.data[0] == '-' ? 1U : 0U) && left % 3 == 0)
            buf_put_char(out, tongues[tongue].thousands);
        buf_put_char(out, whole.data[i]);
    }
    for (size_t i = digits; i < text.len; i++)
        buf_put_char(out, text.data[i] == '.' ? tongues[tongue].decimal : text.data[i]);
    buf_free(&plain);
}

struct str wording_span(struct arena *arena, enum tongue tongue, int64_t span_ms)
{
    static const struct {
        int64_t ms;
        enum wording one, many;
    } parts[] = {{WHEN_DAY_MS, WORDING_DAY, WORDING_DAYS},
                 {3600 * 1000, WORDING_HOUR, WORDING_HOURS},
                 {60 * 1000, WORDING_MINUTE, WORDING_MINUTES},
                 {1000, WORDING_SECOND, WORDING_SECONDS}};
    struct str said = STR_EMPTY;
    size_t first = span_ms < 2 * (int64_t)WHEN_DAY_MS && span_ms % WHEN_DAY_MS != 0 ? 1 : 0;
    int count = 0;

    for (size_t i = first; i < sizeof parts / sizeof parts[0] && count < 2; i++) {
        int64_t number = span_ms / parts[i].ms;
        struct str part;
        span_ms %= parts[i].ms;
        if (number == 0)
            continue;
        part = wording_say(arena, tongue, number == 1 ? parts[i].one : parts[i].many,
                           (struct words){{arena_format(arena, "%lld", (long long)number)}});
        said = count++ == 0 ? part
                            : wording_say(arena, tongue, WORDING_AND, (struct words){{said, part}});
    }
    return count != 0 ? said
                      : wording_say(arena, tongue, WORDING_SECONDS, (struct words){{STR("0")}});
}

bool wording_put_time(struct buf *out, enum tongue tongue, int64_t at_s, const struct zone *zone)
{
    struct zone_local at;

    if (at_s < -FOUR_DIGITS_S || at_s > FOUR_DIGITS_S)
        return false;
    at = zone_to_local(zone != NULL ? zone : zone_find(STR("UTC")), at_s);
    buf_put_format(out, "%d %s %lld, %02d:%02d", at.day, tongues[tongue].months[at.month - 1],
                   (long long)at.year, at.hour, at.minute);
    return true;
}
