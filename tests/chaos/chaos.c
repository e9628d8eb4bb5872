/* make chaos: docs/chaos.md.
 *
 *     MINUTES=20 SEED=1       one piece; LOAD_S=100 instead of minutes
 *     RATE=2000               events in a second; EVENTS=20000: so many in the time that there is
 *     CONTINUE=DIR            pieces of MINUTES (12) until EVENTS (5,000,000) records are written and
 *                             FAULTS_MIN (300) faults have been; figures kept in DIR
 *     FAULTS=no               nothing happens: is the comparison itself right?
 *     FAULT_S=8               seconds from a fault to the next, on average
 *     ONLY=kill-decide,...    these faults alone
 *     ATTENT=build/asan/attent another program (build/sim/attent)
 *     MUTANT=NAME             a deliberate bug, if that program has them (core/mutants.def)
 *     REST_S=300              how long it may take until all is at rest
 *     FAULTS_MIN=10           one piece with fewer faults than that says nothing, and fails
 *
 * Exit code: 0 nothing lost, doubled or different; 1 something was; 2 wrong usage.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "core/log.h"
#include "tests/chaos/compare.h"
#include "tests/chaos/findings.h"
#include "tests/chaos/report.h"
#include "tests/support/scratch.h"
#include "tests/support/wait.h"

enum {
    MINUTES = 20,
    PIECE_MINUTES = 12, /* of a campaign: what is lost when it is interrupted */
    RATE = 2000,
    EVENTS_MIN = 2000,
    CAMPAIGN_EVENTS = 5 * 1000 * 1000,
    CAMPAIGN_FAULTS = 300,
    FAULT_S = 8,
    LOOK_MS = 20,
    START_MS_MAX = 180 * 1000,
    REST_S = 300, /* faults have ended: retries of channels go up to a minute */
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
    const char *folder; /* all that it leaves, servers' folders too */
    const char *above;  /* where folders are made otherwise */
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
        scratch_fail("interrupted; this piece counts for nothing, the same command goes on");
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
    while (!faults_heal(p->faults))
        go_on(p);
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
        if (wait_now_ms() - done_ms >= p->chaos.rest_ms) {
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

static void open_folder(struct piece *p)
{
    const char *above = getenv("TMPDIR");

    p->above = above != NULL ? scratch_keep(above) : "/tmp";
    p->folder = scratch_dir();
    setenv("TMPDIR", p->folder, 1);
    findings_open(scratch_path(p->folder, "wrong"));
}

/* While the site is still there: what is closed removes its folder. */
static void leave_folder(struct piece *p)
{
    char name[64];
    const char *kept;

    findings_close();
    setenv("TMPDIR", p->above, 1);
    if (report_is_well(&p->figures))
        return;
    report_write(p->folder, &p->figures);
    report_faults(p->folder, p->faults);
    snprintf(name, sizeof name, "chaos-seed-%llu.failed", (unsigned long long)p->chaos.seed);
    kept = scratch_path(p->above, name);
    scratch_remove(kept);
    if (rename(p->folder, kept) == 0)
        printf("not well; what there is to look at is kept in %s\n", kept);
}

static void play(struct piece *p)
{
    await_first(p);
    printf("  started after %d s\n", (int)((wait_now_ms() - p->begin_ms) / 1000));
    load_go(p->load);
    let_it_happen(p);
    await_rest(p);
    site_stop_all(&p->site);
    load_stop(p->load);
    accounts_stop(p->accounts);
    compare_all(&p->site, p->load, p->accounts, &p->figures);
    add_up(p);
}

static void run_piece(struct piece *p)
{
    p->begin_ms = wait_now_ms();
    open_folder(p);
    site_open(&p->site, &p->chaos, p->folder);
    site_start_all(&p->site);
    p->load = load_start(&p->chaos, &p->site.direct);
    p->accounts = accounts_start(&p->site.direct, p->load);
    p->faults = faults_new(&p->chaos, &p->site, p->load);
    play(p);
    leave_folder(p);
    faults_free(p->faults);
    accounts_free(p->accounts);
    load_free(p->load);
    site_close(&p->site);
    scratch_remove(p->folder);
}

/* --- settings ------------------------------------------------------------------------------- */

static const char *text_setting(const char *name, const char *fallback)
{
    const char *text = getenv(name);

    return text != NULL && *text != '\0' ? text : fallback;
}

static void check_faults(const char *list)
{
    struct str rest = str_of(list), code;
    enum fault_kind kind;
    bool more = true;

    while (more) {
        more = str_cut(rest, ',', &code, &rest);
        if (!faults_find(more ? code : rest, &kind)) {
            fprintf(stderr, "chaos: ONLY=%s: these are not all faults (tests/chaos/faults.def)\n",
                    list);
            exit(2);
        }
    }
}

static struct chaos read_settings(bool campaign)
{
    uint64_t minutes = setting("MINUTES", campaign ? PIECE_MINUTES : MINUTES),
             seconds = setting("LOAD_S", minutes * 60), events = setting("RATE", RATE) * seconds;
    struct chaos chaos = {.seed = setting("SEED", 1),
                          .events = campaign ? events : setting("EVENTS", events),
                          .duration_ms = (int64_t)seconds * 1000,
                          .fault_ms = (int64_t)setting("FAULT_S", FAULT_S) * 1000,
                          .rest_ms = (int64_t)setting("REST_S", REST_S) * 1000,
                          .attent = text_setting("ATTENT", "build/sim/attent"),
                          .mutant = text_setting("MUTANT", NULL),
                          .quiet = strcmp(text_setting("FAULTS", ""), "no") == 0,
                          .only = text_setting("ONLY", NULL)};

    if (chaos.only != NULL)
        check_faults(chaos.only);
    if (chaos.events < EVENTS_MIN)
        chaos.events = EVENTS_MIN;
    chaos.customers = chaos.events / 20;
    return chaos;
}

static void run_one(struct chaos chaos, struct figures *out)
{
    static struct piece piece;

    piece = (struct piece){.chaos = chaos};
    printf("chaos: SEED=%llu, at most %llu events in %d s%s%s\n", (unsigned long long)chaos.seed,
           (unsigned long long)piece.chaos.events, (int)(chaos.duration_ms / 1000),
           chaos.quiet ? ", no faults" : "", chaos.mutant != NULL ? ", with a bug" : "");
    run_piece(&piece);
    *out = piece.figures;
}

static bool enough_has_happened(const struct figures *figures, uint64_t wanted)
{
    uint64_t faults = report_count_faults(figures);

    if (faults < wanted)
        printf("chaos: %llu faults, wanted are %llu\n", (unsigned long long)faults,
               (unsigned long long)wanted);
    return faults >= wanted;
}

static bool run_alone(struct chaos chaos)
{
    struct figures figures;

    run_one(chaos, &figures);
    report_table(&figures);
    return report_is_well(&figures) && enough_has_happened(&figures, setting("FAULTS_MIN", 0));
}

/* --- a campaign ------------------------------------------------------------------------------- */

/* Its pieces leave their folders in it. */
static const char *open_campaign(const char *dir)
{
    const char *path = realpath(dir, NULL);

    if (path == NULL && mkdir(dir, 0755) == 0)
        path = realpath(dir, NULL);
    if (path == NULL) {
        fprintf(stderr, "chaos: CONTINUE=%s: no such folder, and it cannot be made\n", dir);
        exit(2);
    }
    setenv("TMPDIR", path, 1);
    return path;
}

static bool run_campaign(struct chaos chaos, const char *dir)
{
    uint64_t events = setting("EVENTS", CAMPAIGN_EVENTS), seed = chaos.seed,
             faults = setting("FAULTS_MIN", chaos.quiet ? 0 : CAMPAIGN_FAULTS);
    struct figures all, one;

    dir = open_campaign(dir);
    if (report_read(dir, &all))
        printf("chaos: going on after %llu pieces with %llu events\n",
               (unsigned long long)all.pieces, (unsigned long long)all.events);
    while (all.events < events || report_count_faults(&all) < faults) {
        if (interrupted)
            scratch_fail("interrupted; the same command goes on");
        chaos.seed = seed + all.pieces;
        run_one(chaos, &one);
        report_add(&all, &one);
        report_write(dir, &all);
        report_piece(dir, chaos.seed, &one);
        report_table(&all);
    }
    if (all.pieces != 0)
        report_table(&all);
    return report_is_well(&all);
}

int main(void)
{
    const char *dir = text_setting("CONTINUE", NULL);
    struct chaos chaos = read_settings(dir != NULL);

    setvbuf(stdout, NULL, _IOLBF, 0);
    log_setup(LOG_ERROR, LOG_AUTO, true); /* of our own clients; attent's log is in its files */
    signal(SIGINT, interrupt);
    signal(SIGTERM, interrupt);
    signal(SIGPIPE, SIG_IGN);
    return (dir != NULL ? run_campaign(chaos, dir) : run_alone(chaos)) ? 0 : 1;
}
