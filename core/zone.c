/* A zone is a list of instants at which its offset changes, and behind the last of them a rule in
 * the manner of POSIX TZ ("CET-1CEST,M3.5.0,M10.5.0/3") that goes on for ever.  Only the part of a
 * TZif file with 64-bit times is read.
 *
 * From wall clock to UTC there is no formula: the offsets in force a day before and a day after
 * give the candidates, and one is right if its own offset leads back to it.  None: the wall clock
 * jumped over it, and the jump itself is searched for.
 *
 * Found zones are kept in a table for ever; there are about 600 names and 2880 fixed offsets. */
#include "core/zone.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/file.h"
#include "core/hash.h"
#include "core/mem.h"
#include "core/when.h"

enum {
    MINUTE_S = 60,
    HOUR_S = 3600,
    DAY_S = 86400,
    OFFSET_S_MAX = 26 * HOUR_S,     /* the largest of history is under 16 hours */
    RULE_TIME_S_MAX = 167 * HOUR_S, /* RFC 8536, 3.3.1 */
    TRANSITIONS_MAX = 10000,        /* the largest zone has under 300 */
    TYPES_MAX = 256,
    HEADER_BYTES = 44,
    NAME_BYTES_MAX = 64,
    BUCKETS = 256,
};

static const int64_t at_s_max = INT64_C(1) << 52; /* beyond: clamped, so that nothing overflows */
static const int64_t year_max = 100000000;

/* A day of a rule, once a year. */
struct rule_day {
    enum { RULE_MONTH, RULE_JULIAN, RULE_ZERO } kind;
    int month, week, weekday; /* RULE_MONTH: 1..12, 1..5 (5 = last), 0..6 */
    int day;                  /* RULE_JULIAN: 1..365 without 29 February; RULE_ZERO: 0..365 */
    int32_t time_s;
};

struct rule {
    bool there, summer; /* summer: there is a second offset between begin and end */
    int32_t offset_s, summer_offset_s;
    struct rule_day begin, end;
};

struct zone {
    struct str name;
    int64_t *at_s;     /* instants of change, ascending */
    int32_t *offset_s; /* from each on */
    size_t count;
    int32_t first_offset_s; /* before the first */
    struct rule rule;       /* behind the last */
    struct zone *next;      /* in its bucket */
};

static const struct zone utc_zone = {.name = {"UTC", 3}};

/* --- the rule's text --------------------------------------------------------------------------- */

struct text {
    const char *at, *end;
    bool failed;
};

static bool text_accept(struct text *t, char c)
{
    if (t->at == t->end || *t->at != c)
        return false;
    t->at++;
    return true;
}

static int text_number(struct text *t, int max)
{
    int v = 0;
    const char *start = t->at;

    for (; t->at < t->end && *t->at >= '0' && *t->at <= '9' && v <= max; t->at++)
        v = v * 10 + (*t->at - '0');
    t->failed |= t->at == start || v > max;
    return t->failed ? 0 : v;
}

/* "CET" or "<+03>". */
static void text_skip_name(struct text *t)
{
    const char *start = t->at;

    if (text_accept(t, '<')) {
        while (t->at < t->end && *t->at != '>')
            t->at++;
        t->failed |= !text_accept(t, '>');
        return;
    }
    while (t->at < t->end && ((*t->at >= 'a' && *t->at <= 'z') || (*t->at >= 'A' && *t->at <= 'Z')))
        t->at++;
    t->failed |= t->at - start < 3;
}

/* "-1", "2:30", "+26:00:00" in seconds. */
static int32_t text_span(struct text *t, int hours_max)
{
    bool negative = text_accept(t, '-');
    int32_t s;

    if (!negative)
        text_accept(t, '+');
    s = text_number(t, hours_max) * HOUR_S;
    if (text_accept(t, ':')) {
        s += text_number(t, 59) * MINUTE_S;
        if (text_accept(t, ':'))
            s += text_number(t, 59);
    }
    return negative ? -s : s;
}

static struct rule_day text_rule_day(struct text *t)
{
    struct rule_day day = {.kind = RULE_ZERO, .time_s = 2 * HOUR_S};

    t->failed |= !text_accept(t, ',');
    if (text_accept(t, 'M')) {
        day.kind = RULE_MONTH;
        day.month = text_number(t, 12);
        t->failed |= !text_accept(t, '.');
        day.week = text_number(t, 5);
        t->failed |= !text_accept(t, '.');
        day.weekday = text_number(t, 6);
        t->failed |= day.month < 1 || day.week < 1;
    } else if (text_accept(t, 'J')) {
        day.kind = RULE_JULIAN;
        day.day = text_number(t, 365);
        t->failed |= day.day < 1;
    } else {
        day.day = text_number(t, 365);
    }
    if (text_accept(t, '/'))
        day.time_s = text_span(t, RULE_TIME_S_MAX / HOUR_S);
    return day;
}

/* POSIX counts offsets west of UTC, we count east.  False: not such a rule. */
static bool rule_parse(struct str s, struct rule *rule)
{
    struct text t = {s.data, s.data + s.len, false};

    *rule = (struct rule){.there = s.len != 0};
    if (s.len == 0)
        return true;
    text_skip_name(&t);
    rule->offset_s = -text_span(&t, 24);
    if (t.at < t.end && !t.failed) {
        rule->summer = true;
        text_skip_name(&t);
        rule->summer_offset_s = rule->offset_s + HOUR_S;
        if (t.at < t.end && *t.at != ',')
            rule->summer_offset_s = -text_span(&t, 24);
        rule->begin = text_rule_day(&t);
        rule->end = text_rule_day(&t);
    }
    return !t.failed && t.at == t.end;
}

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int weekday_of(int64_t days)
{
    return (int)(((days + 4) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
}

/* Seconds since 1970 of a rule's day in a year, by its wall clock. */
static int64_t rule_day_at(const struct rule_day *day, int64_t year)
{
    int64_t days = when_days_from_civil(year, 1, 1);

    if (day->kind == RULE_JULIAN) {
        days += day->day - 1 + (is_leap(year) && day->day >= 60);
    } else if (day->kind == RULE_ZERO) {
        days += day->day;
    } else {
        int64_t first = when_days_from_civil(year, day->month, 1);
        int64_t next = day->month == 12 ? when_days_from_civil(year + 1, 1, 1)
                                        : when_days_from_civil(year, day->month + 1, 1);
        days = first + (day->weekday - weekday_of(first) + 7) % 7 + 7 * (day->week - 1);
        while (days >= next)
            days -= 7;
    }
    return days * DAY_S + day->time_s;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int32_t rule_offset(const struct rule *rule, int64_t at_s)
{
    int64_t year, begin, end;
    int month, day;
    bool summer;

    if (!rule->summer)
        return rule->offset_s;
    when_civil_from_days(floor_div(at_s + rule->offset_s, DAY_S), &year, &month, &day);
    begin = rule_day_at(&rule->begin, year) - rule->offset_s;
    end = rule_day_at(&rule->end, year) - rule->summer_offset_s;
    summer = begin < end ? at_s >= begin && at_s < end : !(at_s >= end && at_s < begin);
    return summer ? rule->summer_offset_s : rule->offset_s;
}

/* --- TZif -------------------------------------------------------------------------------------- */

struct counts {
    uint32_t isut, isstd, leap, time, type, chars;
};

static uint32_t big32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t big64(const unsigned char *p)
{
    return (int64_t)((uint64_t)big32(p) << 32 | big32(p + 4));
}

/* The header at s; false if it is none of version 2 or later. */
static bool read_header(struct str s, struct counts *c)
{
    const unsigned char *p = (const unsigned char *)s.data;

    if (s.len < HEADER_BYTES || memcmp(p, "TZif", 4) != 0 || p[4] < '2')
        return false;
    *c = (struct counts){big32(p + 20), big32(p + 24), big32(p + 28),
                         big32(p + 32), big32(p + 36), big32(p + 40)};
    return true;
}

static uint64_t block_bytes(const struct counts *c, uint64_t time_bytes)
{
    return c->time * (time_bytes + 1) + c->type * UINT64_C(6) + c->chars +
           c->leap * (time_bytes + 4) + c->isstd + c->isut;
}

/* Fill zone from the block of 64-bit times at p. */
static bool read_block(struct zone *zone, const unsigned char *p, const struct counts *c)
{
    const unsigned char *kinds = p + c->time * 8, *types = kinds + c->time;

    zone->count = c->time;
    zone->at_s = MEM_NEW_ARRAY(int64_t, c->time);
    zone->offset_s = MEM_NEW_ARRAY(int32_t, c->time);
    zone->first_offset_s = (int32_t)big32(types);
    for (uint32_t i = 0; i < c->type; i++) {
        int32_t offset = (int32_t)big32(types + 6 * i);
        if (offset < -OFFSET_S_MAX || offset > OFFSET_S_MAX)
            return false;
    }
    for (uint32_t i = 0; i < c->time; i++) {
        zone->at_s[i] = big64(p + 8 * i);
        if (kinds[i] >= c->type || (i > 0 && zone->at_s[i] <= zone->at_s[i - 1]))
            return false;
        zone->offset_s[i] = (int32_t)big32(types + 6 * kinds[i]);
    }
    return true;
}

static bool read_zone(struct str tzif, struct zone *zone)
{
    struct counts c;
    struct str rest, before, footer;

    if (!read_header(tzif, &c) || block_bytes(&c, 4) > tzif.len - HEADER_BYTES)
        return false;
    rest = str_slice(tzif, HEADER_BYTES + (size_t)block_bytes(&c, 4), tzif.len);
    if (!read_header(rest, &c) || block_bytes(&c, 8) > rest.len - HEADER_BYTES || c.leap != 0 ||
        c.time > TRANSITIONS_MAX || c.type == 0 || c.type > TYPES_MAX)
        return false;
    if (!read_block(zone, (const unsigned char *)rest.data + HEADER_BYTES, &c))
        return false;
    rest = str_slice(rest, HEADER_BYTES + (size_t)block_bytes(&c, 8), rest.len);
    return str_cut(rest, '\n', &before, &rest) && before.len == 0 &&
           str_cut(rest, '\n', &footer, &rest) && rule_parse(footer, &zone->rule);
}

struct zone *zone_read(struct str data)
{
    struct zone *zone = MEM_NEW(struct zone);

    if (read_zone(data, zone))
        return zone;
    zone_release(zone);
    return NULL;
}

void zone_release(struct zone *zone)
{
    if (zone == NULL)
        return;
    mem_free(zone->at_s);
    mem_free(zone->offset_s);
    mem_free(zone);
}

/* --- finding ----------------------------------------------------------------------------------- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct zone *buckets[BUCKETS];
static char folder[256] = "/usr/share/zoneinfo";

static struct zone **bucket_of(struct str name)
{
    return &buckets[hash_bytes(name, 0) % BUCKETS];
}

static struct zone *find_known(struct str name)
{
    struct zone *zone = *bucket_of(name);

    while (zone != NULL && !str_equal(zone->name, name))
        zone = zone->next;
    return zone;
}

/* Letters, digits and -+_ between single slashes: so no name leads out of the folder. */
static bool name_is_safe(struct str name)
{
    char before = '/';

    if (name.len == 0 || name.len > NAME_BYTES_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '+' || c == '_';
        if (!plain && !(c == '/' && before != '/'))
            return false;
        before = c;
    }
    return before != '/';
}

/* "+02:00" */
static bool parse_fixed(struct str name, int32_t *offset_s)
{
    struct text t;
    int hours, minutes;

    if (name.len != 6 || (name.data[0] != '+' && name.data[0] != '-') || name.data[3] != ':')
        return false;
    t = (struct text){name.data + 1, name.data + name.len, false};
    hours = text_number(&t, 23);
    t.failed |= !text_accept(&t, ':');
    minutes = text_number(&t, 59);
    *offset_s = (hours * HOUR_S + minutes * MINUTE_S) * (name.data[0] == '-' ? -1 : 1);
    return !t.failed && t.at == t.end;
}

static struct zone *zone_load(struct str name)
{
    struct arena *scratch;
    struct str path, bytes;
    struct zone *zone = NULL;
    int32_t offset_s;

    if (parse_fixed(name, &offset_s)) {
        zone = MEM_NEW(struct zone);
        zone->first_offset_s = offset_s;
        return zone;
    }
    if (!name_is_safe(name))
        return NULL;
    scratch = arena_new(0);
    path = arena_format(scratch, "%s/%.*s", folder, STR_ARG(name));
    if (!file_is_folder(path.data) && file_read(path.data, scratch, &bytes, NULL) == ERR_NONE)
        zone = zone_read(bytes);
    arena_free(scratch);
    return zone;
}

const struct zone *zone_find(struct str name)
{
    struct zone *zone;

    if (str_is(name, "UTC") || str_is(name, "Z"))
        return &utc_zone;
    pthread_mutex_lock(&lock);
    zone = find_known(name);
    if (zone == NULL && (zone = zone_load(name)) != NULL) {
        zone->name = (struct str){mem_copy_text(name.data, name.len), name.len};
        zone->next = *bucket_of(name);
        *bucket_of(name) = zone;
    }
    pthread_mutex_unlock(&lock);
    return zone;
}

void zone_set_folder(const char *path)
{
    pthread_mutex_lock(&lock);
    snprintf(folder, sizeof folder, "%s", path);
    pthread_mutex_unlock(&lock);
}

/* tzdata.zi has all rules as text; its first line is "# version 2024a". */
struct str zone_data_version(void)
{
    static char version[64];
    struct arena *scratch = arena_new(0);
    struct str path, text = STR_EMPTY, line, rest, name = STR("unknown");
    char hex[HASH128_HEX_SIZE];

    pthread_mutex_lock(&lock);
    path = arena_format(scratch, "%s/tzdata.zi", folder);
    if (version[0] == '\0') {
        if (file_read(path.data, scratch, &text, NULL) == ERR_NONE &&
            str_cut(text, '\n', &line, &rest) && str_starts(line, STR("# version ")))
            name = str_slice(str_trim(str_slice(line, strlen("# version "), line.len)), 0, 16);
        hash128_hex(hash128_bytes(text, (struct hash128){0, 0}), hex);
        snprintf(version, sizeof version, "%.*s-%.16s", STR_ARG(name), hex);
    }
    pthread_mutex_unlock(&lock);
    arena_free(scratch);
    return str_of(version);
}

/* --- asking ------------------------------------------------------------------------------------ */

static int64_t clamp(int64_t v, int64_t max)
{
    return v > max ? max : v < -max ? -max : v;
}

int32_t zone_offset_s(const struct zone *zone, int64_t at_s)
{
    size_t from = 0, to = zone->count;

    at_s = clamp(at_s, at_s_max);
    while (from < to) { /* first transition behind at_s */
        size_t middle = from + (to - from) / 2;
        if (zone->at_s[middle] <= at_s)
            from = middle + 1;
        else
            to = middle;
    }
    if (from == zone->count && zone->rule.there)
        return rule_offset(&zone->rule, at_s);
    return from == 0 ? zone->first_offset_s : zone->offset_s[from - 1];
}

struct zone_local zone_to_local(const struct zone *zone, int64_t at_s)
{
    struct zone_local local;
    int64_t shifted = clamp(at_s, at_s_max) + zone_offset_s(zone, at_s);
    int64_t days = floor_div(shifted, DAY_S);
    int rest = (int)(shifted - days * DAY_S);

    when_civil_from_days(days, &local.year, &local.month, &local.day);
    local.hour = rest / HOUR_S;
    local.minute = rest / MINUTE_S % 60;
    local.second = rest % MINUTE_S;
    local.weekday = weekday_of(days);
    local.yearday = (int)(days - when_days_from_civil(local.year, 1, 1));
    return local;
}

/* The instant in (before, after] from which on the offset is no longer the one at `before`. */
static int64_t find_jump(const struct zone *zone, int64_t before, int64_t after)
{
    int32_t old = zone_offset_s(zone, before);

    while (after - before > 1) {
        int64_t middle = before + (after - before) / 2;
        if (zone_offset_s(zone, middle) == old)
            before = middle;
        else
            after = middle;
    }
    return after;
}

static int64_t wall_to_utc(const struct zone *zone, int64_t wall_s)
{
    int32_t offsets[3] = {zone_offset_s(zone, wall_s - DAY_S), zone_offset_s(zone, wall_s),
                          zone_offset_s(zone, wall_s + DAY_S)};
    int64_t best = INT64_MAX, low = INT64_MAX, high = INT64_MIN;

    for (int i = 0; i < 3; i++) {
        int64_t at_s = wall_s - offsets[i];
        if (zone_offset_s(zone, at_s) == offsets[i] && at_s < best)
            best = at_s;
        low = at_s < low ? at_s : low;
        high = at_s > high ? at_s : high;
    }
    return best != INT64_MAX ? best : find_jump(zone, low, high);
}

int64_t zone_to_utc_s(const struct zone *zone, int64_t year, int month, int day, int hour,
                      int minute, int second)
{
    int64_t months = (int64_t)month - 1;
    int64_t carry = floor_div(months, 12);
    int64_t days =
        when_days_from_civil(clamp(year, year_max) + carry, (int)(months - carry * 12) + 1, 1) +
        day - INT64_C(1);

    return wall_to_utc(zone,
                       days * DAY_S + (int64_t)hour * HOUR_S + (int64_t)minute * MINUTE_S + second);
}
