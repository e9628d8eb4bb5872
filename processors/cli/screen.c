#include "processors/cli/screen.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/clock.h"

/* People read 200 to 250 words a minute: some 40 ms a character with the eyes still moving in. */
enum { PAUSE_MS_PER_LINE = 250, PAUSE_MS_PER_CHARACTER = 7 };

static const char *const tones[] = {
    [TONE_PLAIN] = "",          [TONE_EVENT] = "\033[36m",  [TONE_SILENCE] = "\033[33m",
    [TONE_TASK] = "\033[1;32m", [TONE_ANSWER] = "\033[35m", [TONE_BAD] = "\033[1;31m",
};

struct screen screen_open(bool paced)
{
    return (struct screen){.colours = screen_has_colours(), .paced = paced, .shown_ms = INT64_MIN};
}

bool screen_has_colours(void)
{
    const char *no_color = getenv("NO_COLOR");

    return isatty(STDOUT_FILENO) == 1 && (no_color == NULL || no_color[0] == '\0');
}

void screen_end_line(struct buf *out)
{
    while (out->len > 0 && out->data[out->len - 1] == ' ')
        out->len--;
    buf_put_char(out, '\n');
}

void screen_paint(struct buf *out, bool colours, enum screen_tone tone, const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    colours = colours && tone != TONE_PLAIN;
    buf_put_format(out, "%s%s%s", colours ? tones[tone] : "", text, colours ? "\033[0m" : "");
}

void screen_local(const struct zone *zone, int64_t at_ms, char out[SCREEN_TIME_SIZE])
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct zone_local t = zone_to_local(zone, at_ms / 1000);

    if (at_ms % (60 * 1000) != 0) /* as wide as with the day of the week */
        snprintf(out, SCREEN_TIME_SIZE, "%02d %s %02d:%02d:%02d", t.day % 100, months[t.month - 1],
                 t.hour % 100, t.minute % 100, t.second % 100);
    else
        snprintf(out, SCREEN_TIME_SIZE, "%s %02d %s %02d:%02d", days[t.weekday], t.day % 100,
                 months[t.month - 1], t.hour % 100, t.minute % 100);
}

void screen_time(int64_t at_ms, char out[SCREEN_TIME_SIZE])
{
    const struct zone *zone = zone_find(STR("Europe/Amsterdam"));

    screen_local(zone != NULL ? zone : zone_find(STR("UTC")), at_ms, out);
}

void screen_line(struct screen *screen, int64_t at_ms, enum screen_tone tone, const char *label,
                 const char *format, ...)
{
    char time[SCREEN_TIME_SIZE] = "";
    va_list args;
    int characters;

    if (at_ms != INT64_MIN && at_ms != screen->shown_ms)
        screen_time(at_ms, time);
    screen->shown_ms = at_ms;
    printf("%-16s  %s%-9s ", time, screen->colours ? tones[tone] : "", label);
    va_start(args, format);
    characters = vprintf(format, args);
    va_end(args);
    printf("%s\n", screen->colours && tone != TONE_PLAIN ? "\033[0m" : "");
    fflush(stdout);
    if (screen->paced)
        clock_sleep_ms(PAUSE_MS_PER_LINE + PAUSE_MS_PER_CHARACTER * characters);
}
