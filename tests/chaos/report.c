#include "tests/chaos/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/mem.h"
#include "core/when.h"
#include "tests/support/scratch.h"
#include "tests/support/wait.h"

enum {
    LINE_MS = 500,
    PLAIN_LINE_MS = 10 * 1000,
    LATE_MS = 1000, /* a probe that took no longer says nothing of a fault */
    PROBES_MAX = 1 << 20,
};

/* Every figure by name: for the file and for adding. */
static const struct {
    const char *name;
    size_t at;
} fields[] = {
#define FIELD(name)                                                                                \
    {                                                                                              \
#name, offsetof(struct figures, name)                                                      \
    }
    FIELD(waiting),   FIELD(pieces),   FIELD(events),  FIELD(lost),      FIELD(doubled),
    FIELD(different), FIELD(tasks),    FIELD(gaps),    FIELD(repeats),   FIELD(in_doubt),
    FIELD(crashes),   FIELD(restless), FIELD(seconds), FIELD(decisions),
#undef FIELD
};

static uint64_t *field(const struct figures *f, size_t index)
{
    return (uint64_t *)((uintptr_t)f + fields[index].at);
}

/* --- while it runs -------------------------------------------------------------------------- */

static int64_t said_ms;

void report_line(const struct site *site, struct load *load, struct accounts *accounts,
                 const struct faults *faults, int64_t begin_ms)
{
    bool terminal = isatty(STDOUT_FILENO);
    int64_t now_ms = wait_now_ms();
    size_t count = faults_count(faults);
    struct accounts_state state;
    char line[200];

    if (now_ms - said_ms < (terminal ? LINE_MS : PLAIN_LINE_MS))
        return;
    said_ms = now_ms;
    accounts_look(accounts, &state);
    snprintf(line, sizeof line,
             "%4" PRId64 " s  %" PRIu64 " written, %" PRIu64 " arrived, %" PRIu64 " tasks, %" PRIu64
             " over; %zu faults, last %s; %" PRIu64 " crashes",
             (now_ms - begin_ms) / 1000, load_written(load), state.arrived, state.tasks,
             state.ended, count,
             count != 0 ? faults_code(faults_at(faults, count - 1)->kind) : "none", site->crashes);
    printf(terminal ? "\r%-110s" : "%s\n", line);
    fflush(stdout);
}

void report_line_end(void)
{
    if (isatty(STDOUT_FILENO))
        printf("\n");
}

/* --- stops ---------------------------------------------------------------------------------- */

/* A fault that was there at some time while the probe was on its way, or the last one before. */
static void blame(const struct probe *probe, const struct faults *faults, int64_t end_ms,
                  struct figures *out)
{
    int64_t arrived_ms = probe->arrived_ms != 0 ? probe->arrived_ms : end_ms;
    int64_t took_ms = arrived_ms - probe->sent_ms;
    size_t last = SIZE_MAX;
    bool found = false;

    for (size_t i = 0; i < faults_count(faults); i++) {
        const struct fault_span *span = faults_at(faults, i);
        uint64_t *stop_ms = &out->stop_ms[span->kind];

        if (span->begin_ms > arrived_ms)
            break;
        last = i;
        if (span->end_ms != 0 && span->end_ms < probe->sent_ms)
            continue;
        found = true;
        *stop_ms = (uint64_t)took_ms > *stop_ms ? (uint64_t)took_ms : *stop_ms;
    }
    if (!found && last != SIZE_MAX &&
        (uint64_t)took_ms > out->stop_ms[faults_at(faults, last)->kind])
        out->stop_ms[faults_at(faults, last)->kind] = (uint64_t)took_ms;
}

void report_stops(struct load *load, const struct faults *faults, int64_t end_ms,
                  struct figures *out)
{
    struct probe *probes = MEM_NEW_ARRAY(struct probe, PROBES_MAX);
    size_t count = load_probes(load, probes, PROBES_MAX);

    for (size_t i = 0; i < faults_count(faults); i++)
        out->faults[faults_at(faults, i)->kind]++;
    for (size_t i = 0; i < count; i++)
        blame(&probes[i], faults, end_ms, out);
    mem_free(probes);
}

void report_faults(const char *dir, const struct faults *faults)
{
    int64_t since_ms = clock_wall_ms() - wait_now_ms();
    struct buf text = {0};

    for (size_t i = 0; i < faults_count(faults); i++) {
        const struct fault_span *span = faults_at(faults, i);

        when_put_rfc3339(&text, since_ms + span->begin_ms);
        buf_put_text(&text, " ");
        when_put_rfc3339(&text, since_ms + span->end_ms);
        buf_put_format(&text, " %s", faults_code(span->kind));
        if (span->target >= 0)
            buf_put_format(&text, " %d", span->target);
        buf_put_text(&text, "\n");
    }
    scratch_write(dir, "faults", buf_text(&text));
    buf_free(&text);
}

/* --- the table ------------------------------------------------------------------------------ */

bool report_is_well(const struct figures *f)
{
    return f->lost == 0 && f->doubled == 0 && f->different == 0 && f->crashes == 0 &&
           f->restless == 0;
}

uint64_t report_count_faults(const struct figures *f)
{
    uint64_t faults = 0;

    for (int i = 0; i < FAULT_KIND_COUNT; i++)
        faults += f->faults[i];
    return faults;
}

static void say_what_did_not_come(const struct figures *f)
{
    const char *before = "none of: ";

    for (int i = 0; i < FAULT_KIND_COUNT; i++)
        if (f->faults[i] == 0) {
            printf("%s%s", before, faults_code((enum fault_kind)i));
            before = ", ";
        }
    printf("\n");
}

void report_table(const struct figures *f)
{
    printf("\n%-20s %7s %16s\n", "fault", "times", "longest stop");
    for (int i = 0; i < FAULT_KIND_COUNT; i++)
        if (f->faults[i] != 0)
            printf("%-20s %7" PRIu64 " %14.1f s\n", faults_code((enum fault_kind)i), f->faults[i],
                   (double)f->stop_ms[i] / 1000);
    say_what_did_not_come(f);
    printf("\n%" PRIu64 " events in %" PRIu64 " s and %" PRIu64 " piece%s, %" PRIu64
           " faults; %" PRIu64 " tasks, %" PRIu64 " decisions taken; %" PRIu64 " repeats, %" PRIu64
           " gaps dropped\n",
           f->events, f->seconds, f->pieces, f->pieces == 1 ? "" : "s", report_count_faults(f),
           f->tasks, f->decisions, f->repeats, f->gaps);
    printf("lost %" PRIu64 ", doubled %" PRIu64 ", different %" PRIu64 "; in doubt %" PRIu64
           " (a channel that sends at most once); waiting %" PRIu64 " (outranked); crashes %" PRIu64
           ", not come to rest %" PRIu64 "\n",
           f->lost, f->doubled, f->different, f->in_doubt, f->waiting, f->crashes, f->restless);
}

/* --- a campaign ------------------------------------------------------------------------------- */

void report_add(struct figures *to, const struct figures *more)
{
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        *field(to, i) += *field(more, i);
    for (int i = 0; i < FAULT_KIND_COUNT; i++) {
        to->faults[i] += more->faults[i];
        if (more->stop_ms[i] > to->stop_ms[i])
            to->stop_ms[i] = more->stop_ms[i];
    }
}

static void read_figure(struct figures *out, struct str name, uint64_t value, uint64_t stop_ms)
{
    enum fault_kind kind;

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (str_is(name, fields[i].name))
            *field(out, i) = value;
    if (faults_find(name, &kind)) {
        out->faults[kind] = value;
        out->stop_ms[kind] = stop_ms;
    }
}

bool report_read(const char *dir, struct figures *out)
{
    char *text = scratch_read(scratch_path(dir, "figures"), NULL);
    struct str rest = str_of(text), line, name, values;

    *out = (struct figures){0};
    while (str_cut(rest, '\n', &line, &rest)) {
        struct str stop = STR_EMPTY;
        uint64_t value, stop_ms;

        if (!str_cut(line, ' ', &name, &values))
            continue;
        str_cut(values, ' ', &values, &stop);
        str_read_number(stop, &stop_ms);
        if (str_read_number(values, &value))
            read_figure(out, name, value, stop_ms);
    }
    free(text);
    return text != NULL;
}

void report_write(const char *dir, const struct figures *f)
{
    struct buf text = {0};

    mkdir(dir, 0755);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        buf_put_format(&text, "%s %" PRIu64 "\n", fields[i].name, *field(f, i));
    for (int i = 0; i < FAULT_KIND_COUNT; i++)
        buf_put_format(&text, "%s %" PRIu64 " %" PRIu64 "\n", faults_code((enum fault_kind)i),
                       f->faults[i], f->stop_ms[i]);
    scratch_write(dir, "figures.part", buf_text(&text));
    if (rename(scratch_path(dir, "figures.part"), scratch_path(dir, "figures")) != 0)
        scratch_fail("%s/figures cannot be written", dir);
    buf_free(&text);
}

void report_piece(const char *dir, uint64_t seed, const struct figures *f)
{
    FILE *file = fopen(scratch_path(dir, "pieces"), "a");

    if (file == NULL)
        scratch_fail("%s/pieces cannot be written", dir);
    fprintf(file,
            "SEED=%" PRIu64 ": %" PRIu64 " events, %" PRIu64 " faults, %" PRIu64
            " tasks in %" PRIu64 " s; lost %" PRIu64 ", doubled %" PRIu64 ", different %" PRIu64
            ", crashes %" PRIu64 ", not come to rest %" PRIu64 "\n",
            seed, f->events, report_count_faults(f), f->tasks, f->seconds, f->lost, f->doubled,
            f->different, f->crashes, f->restless);
    fclose(file);
}
