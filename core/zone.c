/* TZif (RFC 8536), versions 2 and up: 64-bit transition times, then a POSIX TZ rule in the footer for
 * all time after the last of them.
 *
 *   header | 32-bit data (skipped) | header | times, types of times, types, names ... | \n TZ \n
 *
 * A look-up is a binary search in the transitions; behind the last one the two changes of the
 * year are computed from the rule.  Only zones that somebody asked for are read; they are kept in a
 * list that only grows, so what zone_find gave stays valid. */
#include "core/zone.h"

#include <pthread.h>
#include <stdio.h>

#include "core/check.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/mem.h"
#include "core/when.h"

enum {
    NAME_BYTES_MAX = 64,
    HEADER_BYTES = 44,
    TRANSITIONS_MAX = 4096, /* the longest of the system's has some 1,900 */
    TYPES_MAX = 256,
    OFFSET_S_MAX = 26 * 3600, /* RFC 8536: -25 h to +26 h */
    DAY_S = 86400,
};

/* A change of the TZ rule: "M3.5.0/2" is 2 o'clock on the last Sunday of March. */
struct rule_day {
    enum { DAY_MONTH, DAY_JULIAN, DAY_ZERO } kind;
    int month, week, weekday; /* DAY_MONTH */
    int day;                  /* DAY_JULIAN: 1..365, 29 February not counted; DAY_ZERO: 0..365 */
    int32_t time_s;           /* of the wall clock, may be negative or beyond a day */
};

struct rule { /* the footer */
    bool given, has_summer;
    int32_t offset_s, summer_offset_s;
    struct rule_day start, end; /* of summer time */
};

struct zone {
    struct str name;
    int64_t *times;     /* of transitions, ascending, UTC seconds */
    int32_t *offsets_s; /* from that time on */
    size_t count;
    int32_t first_offset_s; /* before the first transition */
    struct rule rule;
    struct zone *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct zone *zones;
static char folder[256] = "/usr/share/zoneinfo";

/* --- the footer ---------------------------------------------------------------------------------- */

static bool skip_name(struct str *text)
{
    size_t at = 0;

    if (text->len != 0 && text->data[0] == '<') {
        while (at < text->len && text->data[at] != '>')
            at++;
        at++;
    } else {
        while (at < text->len && ((text->data[at] | 0x20) >= 'a' && (text->data[at] | 0x20) <= 'z'))
            at++;
    }
    if (at < 3 || at > text->len)
        return false;
    *text = str_slice(*text, at, text->len);
    return true;
}

static bool read_number(struct str *text, int *out)
{
    size_t at = 0;

    *out = 0;
    for (; at < text->len && at < 4 && text->data[at] >= '0' && text->data[at] <= '9'; at++)
        *out = 10 * *out + (text->data[at] - '0');
    *text = str_slice(*text, at, text->len);
    return at != 0;
}

static bool skip_char(struct str *text, char c)
{
    if (text->len == 0 || text->data[0] != c)
        return false;
    *text = str_slice(*text, 1, text->len);
    return true;
}

/* [+-]hh[:mm[:ss]] */
static bool read_clock(struct str *text, int32_t *seconds)
{
    bool negative = skip_char(text, '-');
    int hours, minutes = 0, rest = 0;

    if (!negative)
        skip_char(text, '+');
    if (!read_number(text, &hours))
        return false;
    if (skip_char(text, ':') && !read_number(text, &minutes))
        return false;
    if (skip_char(text, ':') && !read_number(text, &rest))
        return false;
    if (hours > 167 || minutes > 59 || rest > 59)
        return false;
    *seconds = (hours * 60 + minutes) * 60 + rest;
    if (negative)
        *seconds = -*seconds;
    return true;
}

static bool read_rule_day(struct str *text, struct rule_day *day)
{
    bool read;

    *day = (struct rule_day){.time_s = 2 * 3600};
    if (skip_char(text, 'M')) {
        day->kind = DAY_MONTH;
        read = read_number(text, &day->month) && skip_char(text, '.') &&
               read_number(text, &day->week) && skip_char(text, '.') &&
               read_number(text, &day->weekday);
        read = read && day->month >= 1 && day->month <= 12 && day->week >= 1 && day->week <= 5 &&
               day->weekday <= 6;
    } else {
        day->kind = skip_char(text, 'J') ? DAY_JULIAN : DAY_ZERO;
        read = read_number(text, &day->day) && day->day <= 365 &&
               (day->kind == DAY_ZERO || day->day >= 1);
    }
    if (read && skip_char(text, '/'))
        read = read_clock(text, &day->time_s);
    return read;
}

/* POSIX TZ: std offset [dst [offset] , start , end].  Offsets are west of UTC there. */
static bool read_rule(struct str text, struct rule *rule)
{
    *rule = (struct rule){0};
    if (!skip_name(&text) || !read_clock(&text, &rule->offset_s))
        return false;
    rule->given = true;
    rule->offset_s = -rule->offset_s;
    if (text.len == 0)
        return true;
    rule->has_summer = true;
    if (!skip_name(&text))
        return false;
    rule->summer_offset_s = rule->offset_s + 3600;
    if (text.len != 0 && text.data[0] != ',') {
        if (!read_clock(&text, &rule->summer_offset_s))
            return false;
        rule->summer_offset_s = -rule->summer_offset_s;
    }
    return skip_char(&text, ',') && read_rule_day(&text, &rule->start) && skip_char(&text, ',') &&
           read_rule_day(&text, &rule->end) && text.len == 0;
}

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int weekday_of(int64_t days)
{
    int64_t weekday = (days + 4) % 7; /* 1970-01-01 was a Thursday */

    return (int)(weekday < 0 ? weekday + 7 : weekday);
}

/* Days since 1970 on which the rule's day falls in that year. */
static int64_t rule_days(const struct rule_day *day, int64_t year)
{
    int64_t first;

    if (day->kind == DAY_ZERO)
        return when_days_from_civil(year, 1, 1) + day->day;
    if (day->kind == DAY_JULIAN)
        return when_days_from_civil(year, 1, 1) + day->day - 1 + (is_leap(year) && day->day >= 60);
    first = when_days_from_civil(year, day->month, 1);
    first += (day->weekday - weekday_of(first) + 7) % 7;
    if (day->week < 5)
        return first + 7 * (day->week - 1);
    int64_t next_month = day->month == 12 ? when_days_from_civil(year + 1, 1, 1)
                                          : when_days_from_civil(year, day->month + 1, 1);
    return first + 7 * ((next_month - 1 - first) / 7);
}

static int32_t rule_offset_s(const struct rule *rule, int64_t at_s)
{
    int64_t year, start_s, end_s;
    int month, day;
    bool summer;

    if (!rule->has_summer)
        return rule->offset_s;
    when_civil_from_days(floor_div(at_s + rule->offset_s, DAY_S), &year, &month, &day);
    start_s = rule_days(&rule->start, year) * DAY_S + rule->start.time_s - rule->offset_s;
    end_s = rule_days(&rule->end, year) * DAY_S + rule->end.time_s - rule->summer_offset_s;
    summer = start_s < end_s ? at_s >= start_s && at_s < end_s : !(at_s >= end_s && at_s < start_s);
    return summer ? rule->summer_offset_s : rule->offset_s;
}

/* --- the file ------------------------------------------------------------------------------------ */

static uint32_t big_u32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t big_i64(const unsigned char *p)
{
    return (int64_t)((uint64_t)big_u32(p) << 32 | big_u32(p + 4));
}

struct counts { /* of a header */
    size_t utc, standard, leaps, times, types, names;
};

static bool read_header(struct str data, struct counts *c, char *version)
{
    const unsigned char *p = (const unsigned char *)data.data;

    if (data.len < HEADER_BYTES || memcmp(p, "TZif", 4) != 0)
        return false;
    *version = (char)p[4];
    *c = (struct counts){big_u32(p + 20), big_u32(p + 24), big_u32(p + 28),
                         big_u32(p + 32), big_u32(p + 36), big_u32(p + 40)};
    return c->times <= TRANSITIONS_MAX && c->types >= 1 && c->types <= TYPES_MAX &&
           c->names <= 4096 && c->leaps <= 4096 && c->utc <= TYPES_MAX && c->standard <= TYPES_MAX;
}

static size_t body_bytes(const struct counts *c, size_t time_bytes)
{
    return c->times * (time_bytes + 1) + c->types * 6 + c->names + c->leaps * (time_bytes + 4) +
           c->standard + c->utc;
}

/* The 64-bit body; data starts behind its header and holds body_bytes at least. */
static bool read_body(struct str data, const struct counts *c, struct zone *zone)
{
    const unsigned char *times = (const unsigned char *)data.data;
    const unsigned char *indexes = times + c->times * 8;
    const unsigned char *types = indexes + c->times;

    zone->times = MEM_NEW_ARRAY(int64_t, c->times);
    zone->offsets_s = MEM_NEW_ARRAY(int32_t, c->times);
    zone->count = c->times;
    zone->first_offset_s = (int32_t)big_u32(types);
    for (size_t i = 0; i < c->times; i++) {
        if (indexes[i] >= c->types)
            return false;
        zone->times[i] = big_i64(times + i * 8);
        zone->offsets_s[i] = (int32_t)big_u32(types + indexes[i] * 6);
        if (i > 0 && zone->times[i] <= zone->times[i - 1])
            return false;
        if (zone->offsets_s[i] < -OFFSET_S_MAX || zone->offsets_s[i] > OFFSET_S_MAX)
            return false;
    }
    return zone->first_offset_s >= -OFFSET_S_MAX && zone->first_offset_s <= OFFSET_S_MAX;
}

static bool read_zone(struct str data, struct zone *zone)
{
    struct counts c;
    char version;
    struct str footer, rest;
    size_t bytes;

    if (!read_header(data, &c, &version) || version < '2')
        return false;
    bytes = HEADER_BYTES + body_bytes(&c, 4);
    data = str_slice(data, bytes, data.len);
    if (!read_header(data, &c, &version))
        return false;
    bytes = body_bytes(&c, 8);
    data = str_slice(data, HEADER_BYTES, data.len);
    if (data.len < bytes || !read_body(data, &c, zone))
        return false;
    data = str_slice(data, bytes, data.len);
    if (!skip_char(&data, '\n') || !str_cut(data, '\n', &footer, &rest))
        return false;
    return footer.len == 0 || read_rule(footer, &zone->rule);
}

void zone_release(struct zone *zone)
{
    if (zone == NULL)
        return;
    mem_free(zone->times);
    mem_free(zone->offsets_s);
    mem_free(zone);
}

struct zone *zone_read(struct str data)
{
    struct zone *zone = MEM_NEW(struct zone);

    if (read_zone(data, zone))
        return zone;
    zone_release(zone);
    return NULL;
}

/* --- finding ------------------------------------------------------------------------------------- */

/* Letters, digits and _ + - / only, no part that starts with a dot: never leaves the folder. */
static bool is_zone_name(struct str name)
{
    if (name.len == 0 || name.len > NAME_BYTES_MAX || name.data[0] == '/')
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool letter = ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c >= '0' && c <= '9');
        if (!letter && c != '_' && c != '+' && c != '-' && c != '/')
            return false;
    }
    return true;
}

static struct zone *fixed_zone(int32_t offset_s)
{
    struct zone *zone = MEM_NEW(struct zone);

    zone->first_offset_s = offset_s;
    return zone;
}

/* "+02:00" */
static struct zone *offset_zone(struct str name)
{
    struct str text = str_slice(name, 1, name.len);
    int hours, minutes;

    if (name.len != 6 || name.data[3] != ':' || !read_number(&text, &hours) ||
        !skip_char(&text, ':') || !read_number(&text, &minutes) || text.len != 0 || hours > 23 ||
        minutes > 59)
        return NULL;
    return fixed_zone((name.data[0] == '-' ? -60 : 60) * (hours * 60 + minutes));
}

static struct zone *load(struct str name)
{
    struct arena *arena;
    struct zone *zone = NULL;
    struct str data;
    char path[sizeof folder + NAME_BYTES_MAX + 2];

    if (str_is(name, "UTC") || str_is(name, "Z"))
        return fixed_zone(0);
    if (name.len != 0 && (name.data[0] == '+' || name.data[0] == '-'))
        return offset_zone(name);
    if (!is_zone_name(name))
        return NULL;
    arena = arena_new(0);
    snprintf(path, sizeof path, "%s/%.*s", folder, STR_ARG(name));
    if (file_read(path, arena, &data, NULL) == ERR_NONE)
        zone = zone_read(data);
    arena_free(arena);
    return zone;
}

const struct zone *zone_find(struct str name)
{
    struct zone *zone;

    pthread_mutex_lock(&lock);
    for (zone = zones; zone != NULL && !str_equal(zone->name, name); zone = zone->next)
        continue;
    if (zone == NULL) {
        zone = load(name);
        if (zone != NULL) {
            zone->name = (struct str){mem_copy_text(name.data, name.len), name.len};
            zone->next = zones;
            zones = zone;
        }
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

struct str zone_name(const struct zone *zone)
{
    return zone->name;
}

/* --- asking -------------------------------------------------------------------------------------- */

int32_t zone_offset_s(const struct zone *zone, int64_t at_s)
{
    size_t low = 0, high = zone->count;

    if (zone->count == 0 || at_s < zone->times[0])
        return zone->count == 0 && zone->rule.given ? rule_offset_s(&zone->rule, at_s)
                                                    : zone->first_offset_s;
    if (at_s >= zone->times[zone->count - 1] && zone->rule.given)
        return rule_offset_s(&zone->rule, at_s);
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (zone->times[middle] <= at_s)
            low = middle;
        else
            high = middle;
    }
    return zone->offsets_s[low];
}

struct zone_local zone_to_local(const struct zone *zone, int64_t at_s)
{
    int64_t local_s = at_s + zone_offset_s(zone, at_s);
    int64_t days = floor_div(local_s, DAY_S);
    int rest = (int)(local_s - days * DAY_S);
    struct zone_local local = {.hour = rest / 3600,
                               .minute = rest / 60 % 60,
                               .second = rest % 60,
                               .weekday = weekday_of(days)};

    when_civil_from_days(days, &local.year, &local.month, &local.day);
    local.yearday = (int)(days - when_days_from_civil(local.year, 1, 1));
    return local;
}

/* The first second at or after `from` whose wall clock has reached local_s; a change of the
 * offset lies between from and to. */
static int64_t first_reaching(const struct zone *zone, int64_t from_s, int64_t to_s,
                              int64_t local_s)
{
    while (from_s < to_s) {
        int64_t middle = from_s + (to_s - from_s) / 2;
        if (middle + zone_offset_s(zone, middle) >= local_s)
            to_s = middle;
        else
            from_s = middle + 1;
    }
    return from_s;
}

int64_t zone_to_utc_s(const struct zone *zone, int64_t year, int month, int day, int hour,
                      int minute, int second)
{
    int64_t months = year * 12 + (month - 1);
    int64_t normal_year = floor_div(months, 12);
    int64_t local_s =
        (when_days_from_civil(normal_year, (int)(months - normal_year * 12) + 1, 1) + day - 1) *
            DAY_S +
        hour * 3600 + minute * 60 + second;
    int32_t before = zone_offset_s(zone, local_s - DAY_S);
    int32_t after = zone_offset_s(zone, local_s + DAY_S);
    int64_t early = local_s - (before > after ? before : after);
    int64_t late = local_s - (before < after ? before : after);

    if (early + zone_offset_s(zone, early) == local_s)
        return early; /* valid; where the time comes twice, the first of the two */
    if (late + zone_offset_s(zone, late) == local_s)
        return late;
    return first_reaching(zone, early, late, local_s); /* in a gap */
}

struct str zone_data_version(void)
{
    static char version[64];
    struct arena *arena = arena_new(0);
    struct str data, line = STR_EMPTY, rest, word;
    char path[sizeof folder + 16];

    pthread_mutex_lock(&lock);
    if (version[0] == '\0') {
        snprintf(path, sizeof path, "%s/tzdata.zi", folder);
        if (file_read(path, arena, &data, NULL) != ERR_NONE)
            data = STR("# version unknown\n");
        str_cut(data, '\n', &line, &rest);
        word = str_starts(line, STR("# version ")) ? str_slice(line, 10, 26) : STR("unknown");
        snprintf(version, sizeof version, "%.*s-%08x", STR_ARG(word),
                 (unsigned)(hash_bytes(data, 0) & 0xffffffff));
    }
    pthread_mutex_unlock(&lock);
    arena_free(arena);
    return str_of(version);
}
