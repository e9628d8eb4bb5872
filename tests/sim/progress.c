#include "tests/sim/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { TERMINAL_EVERY_S = 1, LINES_EVERY_S = 60 };

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void progress_begin(struct progress *p, uint64_t seeds)
{
    *p = (struct progress){
        .seeds = seeds, .begin_s = now_s(), .told_s = now_s(), .terminal = isatty(STDERR_FILENO)};
}

double progress_seconds(const struct progress *p)
{
    return now_s() - p->begin_s;
}

/* 1234567 as 1,234,567 */
static const char *grouped(uint64_t number, char text[32])
{
    char digits[24];
    int count = snprintf(digits, sizeof digits, "%" PRIu64, number), at = 0;

    for (int i = 0; i < count; i++) {
        if (i > 0 && (count - i) % 3 == 0)
            text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = '\0';
    return text;
}

static void print_left(double seconds)
{
    int left = (int)seconds;

    if (left >= 3600)
        fprintf(stderr, "%d h %d min to go", left / 3600, left / 60 % 60);
    else if (left >= 60)
        fprintf(stderr, "%d min %d s to go", left / 60, left % 60);
    else
        fprintf(stderr, "%d s to go", left);
}

void progress_tell(void *of, const struct runs_totals *totals)
{
    struct progress *p = of;
    double per_s = (double)totals->count / progress_seconds(p);
    char played[32], all[32];

    if (now_s() - p->told_s < (p->terminal ? TERMINAL_EVERY_S : LINES_EVERY_S) ||
        totals->count == 0)
        return;
    p->told_s = now_s();
    p->shown = true;
    fprintf(stderr, "%s%s of %s seeds   %.0f a second   %zu failed   ", p->terminal ? "\r" : "",
            grouped(totals->count, played), grouped(p->seeds, all), per_s, totals->failed_count);
    print_left((double)(p->seeds - totals->count) / per_s);
    fputs(p->terminal ? "\033[K" : "\n", stderr);
}

void progress_end(struct progress *p)
{
    if (p->terminal && p->shown)
        fputs("\r\033[K", stderr);
}
