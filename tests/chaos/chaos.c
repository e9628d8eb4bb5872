/* make chaos: docs/chaos.md.
 *
 *     MINUTES=20 SEED=1 EVENTS=...      one piece
 *     CONTINUE=DIR EVENTS=5000000       pieces of MINUTES until so many events, figures kept in DIR
 *     FAULTS=no                         nothing happens: is the comparison itself right?
 *     ONLY=kill-decide                  this fault alone
 *     ATTENT=build/asan/attent          another program (build/attent)
 *     LOAD_S=100                        instead of MINUTES
 *     FAULTS_MIN=10                     fewer faults than that: the run says nothing, and fails
 *
 * Exit code: 0 nothing lost, doubled or different; 1 something was; 2 wrong usage.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/log.h"
#include "tests/chaos/compare.h"
#include "tests/chaos/report.h"
#include "tests/support/scratch.h"
#include "tests/support/wait.h"

enum {
    MINUTES = 20,
    EVENTS_PER_SECOND = 500,
    EVENTS_MIN = 2000,
    LOOK_MS = 20,
    START_MS_MAX = 180 * 1000,
    REST_MS_MAX = 300 * 1000, /* faults have ended: retries of channels go up to a minute */
    QUIET_MS = 5000,
    TIMER_MS = 20 * 1000, /* the last that the load has opened (rules/moments/uninsured.yaml) */
};

struct piece {
    struct chaos chaos;
    struct site site;
    struct load *load;
    struct accounts *accounts;
    struct faults *faults;
    int64_t begin_ms;
    struct figures figures;
};

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

static uint64_t setting(const char *name, uint64_t fallback)
{
    const char *text = getenv(name);
    char *end;
    uint64_t value;

    if (text == NULL || *text == '\0')
        return fallback;
    value = strtoull(text, &end, 10);
    if (*end != '\0') {
        fprintf(stderr, "chaos: %s=%s is no number\n", name, text);
        exit(2);
    }
    return value;
}

/* --- one piece ------------------------------------------------------------------------------- */

static void go_on(struct piece *p)
{
    if (interrupted)
        scratch_fail("interrupted; this piece counts for nothing");
    site_tend(&p->site);
    report_line(&p->site, p->load, p->accounts, p->faults, p->begin_ms);
    wait_pause_ms(LOOK_MS);
}

/* A probe has come through: then the whole chain works. */
static void await_first(struct piece *p)
{
    int64_t until_ms = wait_now_ms() + START_MS_MAX;
    struct probe probe = {0};

    while (load_probes(p->load, &probe, 1) == 0 || probe.arrived_ms == 0) {
        if (wait_now_ms() >= until_ms)
            scratch_fail("nothing comes through, and nothing has happened yet");
        go_on(p);
    }
}

static void let_it_happen(struct piece *p)
{
    while (!load_is_done(p->load)) {
        if (!p->chaos.quiet)
            faults_go_on(p->faults);
        go_on(p);
    }
    faults_heal(p->faults);
}

static bool is_at_rest(struct piece *p, int64_t done_ms)
{
    struct accounts_state state;
    int64_t now_ms = wait_now_ms();

    accounts_look(p->accounts, &state);
    return now_ms - done_ms >= TIMER_MS && now_ms - state.quiet_since_ms >= QUIET_MS &&
           state.arrived >= state.sources && state.ended == state.tasks;
}

static void await_rest(struct piece *p)
{
    int64_t done_ms = wait_now_ms();

    while (!is_at_rest(p, done_ms)) {
        if (wait_now_ms() - done_ms >= REST_MS_MAX) {
            p->figures.restless = 1;
            break;
        }
        go_on(p);
    }
    report_line_end();
    printf("%s %d s after the last event\n",
           p->figures.restless != 0 ? "not come to rest" : "at rest",
           (int)((wait_now_ms() - done_ms) / 1000));
}

static void add_up(struct piece *p)
{
    struct accounts_state state;

    accounts_look(p->accounts, &state);
    p->figures.pieces = 1;
    p->figures.events = load_written(p->load);
    p->figures.repeats = state.repeats;
    p->figures.gaps = state.gaps;
    p->figures.crashes = p->site.crashes;
    report_stops(p->load, p->faults, wait_now_ms(), &p->figures);
    p->figures.seconds = (uint64_t)(wait_now_ms() - p->begin_ms) / 1000;
}

static void run_piece(struct piece *p)
{
    p->begin_ms = wait_now_ms();
    site_open(&p->site, &p->chaos);
    site_start_all(&p->site);
    p->load = load_start(&p->chaos, &p->site.direct);
    p->accounts = accounts_start(&p->site.direct, p->load);
    p->faults = faults_new(&p->chaos, &p->site, p->load);
    await_first(p);
    printf("  started after %d s\n", (int)((wait_now_ms() - p->begin_ms) / 1000));
    let_it_happen(p);
    await_rest(p);
    site_stop_all(&p->site);
    load_stop(p->load);
    accounts_stop(p->accounts);
    compare_all(&p->site, p->load, p->accounts, &p->figures);
    add_up(p);
    faults_free(p->faults);
    accounts_free(p->accounts);
    load_free(p->load);
    site_close(&p->site);
}

static struct chaos read_settings(void)
{
    uint64_t minutes = setting("MINUTES", MINUTES), seconds = setting("LOAD_S", minutes * 60);
    const char *faults = getenv("FAULTS"), *only = getenv("ONLY"), *attent = getenv("ATTENT");
    struct chaos chaos = {.seed = setting("SEED", 1),
                          .events = setting("EVENTS", seconds * EVENTS_PER_SECOND),
                          .duration_ms = (int64_t)seconds * 1000,
                          .attent = attent != NULL && *attent != '\0' ? attent : "build/attent",
                          .quiet = faults != NULL && strcmp(faults, "no") == 0,
                          .only = only != NULL && *only != '\0' ? only : NULL};
    enum fault_kind kind;

    if (chaos.only != NULL && !faults_find(str_of(chaos.only), &kind)) {
        fprintf(stderr, "chaos: there is no fault %s (tests/chaos/faults.def)\n", chaos.only);
        exit(2);
    }
    return chaos;
}

static void run_one(struct chaos chaos, struct figures *out)
{
    static struct piece piece;

    piece = (struct piece){.chaos = chaos};
    if (piece.chaos.events < EVENTS_MIN)
        piece.chaos.events = EVENTS_MIN;
    piece.chaos.customers = piece.chaos.events / 20;
    printf("chaos: SEED=%llu, %llu events in %d s%s\n", (unsigned long long)chaos.seed,
           (unsigned long long)piece.chaos.events, (int)(chaos.duration_ms / 1000),
           chaos.quiet ? ", no faults" : "");
    run_piece(&piece);
    *out = piece.figures;
}

/* --- a campaign ------------------------------------------------------------------------------- */

static bool run_campaign(struct chaos chaos, const char *dir)
{
    struct figures all, one;
    uint64_t wanted = chaos.events, seed = chaos.seed;

    report_read(dir, &all);
    chaos.events = (uint64_t)chaos.duration_ms / 1000 * EVENTS_PER_SECOND;
    while (all.events < wanted) {
        chaos.seed = seed + all.pieces;
        run_one(chaos, &one);
        report_add(&all, &one);
        report_write(dir, &all);
        report_table(&all);
        if (!report_is_well(&one))
            printf("chaos: SEED=%llu was not well\n", (unsigned long long)chaos.seed);
    }
    return report_is_well(&all);
}

static bool enough_has_happened(const struct figures *figures)
{
    uint64_t wanted = setting("FAULTS_MIN", 0), faults = 0;

    for (int i = 0; i < FAULT_KIND_COUNT; i++)
        faults += figures->faults[i];
    if (faults < wanted)
        printf("chaos: %llu faults, wanted are %llu\n", (unsigned long long)faults,
               (unsigned long long)wanted);
    return faults >= wanted;
}

int main(void)
{
    const char *dir = getenv("CONTINUE");
    struct chaos chaos = read_settings();
    struct figures figures;
    bool well;

    setvbuf(stdout, NULL, _IOLBF, 0);
    log_setup(LOG_ERROR, LOG_AUTO, true); /* of our own clients; attent's log is in its files */
    signal(SIGINT, interrupt);
    signal(SIGTERM, interrupt);
    signal(SIGPIPE, SIG_IGN);
    if (dir != NULL && *dir != '\0') {
        well = run_campaign(chaos, dir);
    } else {
        run_one(chaos, &figures);
        report_table(&figures);
        well = report_is_well(&figures) && enough_has_happened(&figures);
    }
    return well ? 0 : 1;
}
