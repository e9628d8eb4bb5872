/* The webhook's receiver keeps a message when it has understood it, by the message's id; what it then
 * answers is another matter.  That it kept one twice is what an id is for, and no fault.
 */
#include "tests/chaos/receivers.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/mem.h"
#include "core/rng.h"
#include "tests/support/certificate.h"
#include "tests/support/peer.h"
#include "tests/support/process.h"
#include "tests/support/scratch.h"

enum { MAIL_STARTS_MAX = 1000, MAIL_UP_MS = 60 * 1000, FLAKY = 50 };

struct receivers {
    struct peer *peer;
    pthread_mutex_t lock; /* of what follows, up to the mail server */
    enum mood mood;
    struct rng rng;
    char (*kept)[TASK_ID_SIZE]; /* ids, as often as they were kept */
    size_t kept_count, kept_capacity;
    struct process *mail;
    int mail_port;
    const char *folders[MAIL_STARTS_MAX]; /* one for each start */
    int starts;
};

/* --- webhook -------------------------------------------------------------------------------- */

static void keep(struct receivers *r, const struct peer_request *request)
{
    struct str id = peer_header(request, "webhook-id");

    if (id.len >= TASK_ID_SIZE)
        return; /* TASK-withdrawn */
    MEM_RESERVE(r->kept, r->kept_count, r->kept_capacity);
    snprintf(r->kept[r->kept_count++], TASK_ID_SIZE, "%.*s", STR_ARG(id));
}

static enum mood mood_now(struct receivers *r)
{
    if (r->mood == MOOD_FINE && rng_below(&r->rng, FLAKY) == 0)
        return (enum mood)(1 + rng_below(&r->rng, MOOD_CLOSES));
    return r->mood;
}

static struct peer_step answer(void *context, const struct peer_request *request)
{
    struct receivers *r = context;
    struct peer_step step = {.body = "{\"taken\":true}"};
    enum mood mood;
    bool half;

    pthread_mutex_lock(&r->lock);
    mood = mood_now(r);
    half = rng_below(&r->rng, 2) == 0;
    if (mood == MOOD_FINE || half)
        keep(r, request);
    pthread_mutex_unlock(&r->lock);
    switch (mood) {
    case MOOD_FINE: break;
    case MOOD_500: step.status = 500; break;
    case MOOD_SILENT: step.act = PEER_SILENT; break;
    case MOOD_CLOSES: step.act = half ? PEER_CLOSE_MIDDLE : PEER_CLOSE; break;
    }
    return step;
}

void receivers_set_mood(struct receivers *r, enum mood mood)
{
    pthread_mutex_lock(&r->lock);
    r->mood = mood;
    pthread_mutex_unlock(&r->lock);
}

/* --- mail ----------------------------------------------------------------------------------- */

/* Each start has a folder of its own: the server numbers its mails from 0. */
static void start_mail(struct receivers *r)
{
    const char *folder = scratch_dir();
    char port[16];
    struct certificate certificate =
        certificate_make("localhost", 1); /* it wants one in any mode */

    if (r->starts == MAIL_STARTS_MAX)
        scratch_fail("more than %d starts of the mail server", MAIL_STARTS_MAX);
    r->folders[r->starts++] = folder;
    snprintf(port, sizeof port, "%d", r->mail_port);
    process_free(r->mail);
    r->mail = process_start(
        (const char *const[]){"/usr/bin/python3", "tests/support/mail_server.py", port,
                              certificate.file, certificate.key_file, folder, "plain", NULL},
        NULL);
    if (!process_wait_output(r->mail, "ready", MAIL_UP_MS))
        scratch_fail("the mail server does not start: %s", process_stderr(r->mail));
}

void receivers_kill_mail(struct receivers *r)
{
    process_kill(r->mail, SIGKILL);
}

void receivers_pause_mail(struct receivers *r)
{
    process_kill(r->mail, SIGSTOP);
}

void receivers_mend_mail(struct receivers *r)
{
    process_kill(r->mail, SIGCONT);
    if (process_wait(r->mail, 0) != PROCESS_RUNNING)
        start_mail(r);
}

/* --- all ------------------------------------------------------------------------------------ */

struct receivers *receivers_open(uint64_t seed)
{
    struct receivers *r = MEM_NEW(struct receivers);

    r->rng = rng_seeded(seed ^ 0x72656376u);
    pthread_mutex_init(&r->lock, NULL);
    r->peer = peer_open_with(answer, r, PEER_PLAIN);
    r->mail_port = scratch_free_port();
    start_mail(r);
    return r;
}

void receivers_close(struct receivers *r)
{
    if (r == NULL)
        return;
    peer_close(r->peer);
    process_free(r->mail);
    pthread_mutex_destroy(&r->lock);
    mem_free(r->kept);
    mem_free(r);
}

void receivers_put_channels(const struct receivers *r, struct buf *yaml)
{
    static const char *const mails[] = {"email", "letter"};
    static const char patience[] =
        "timeout: 3s, breaker: {pause: 1s}, retries: [100ms, 300ms, 1s, 1s, 2s, 2s, 2s, 5s, 5s, 5s, "
        "5s, 5s, 5s, 10s, 10s, 10s, 10s, 20s, 20s, 20s, 30s, 30s, 30s, 30s, 30s, 30s, 60s, 60s]";

    buf_put_format(yaml,
                   "  garage: {connector: webhook, url: \"${NONE:%s/in}\", "
                   "secrets: \"${NONE:whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw}\", "
                   "private_network: true, %s}\n",
                   peer_url(r->peer), patience);
    for (int i = 0; i < 2; i++)
        buf_put_format(yaml,
                       "  %s: {connector: smtp, host: localhost, port: %d, tls: none, "
                       "from: service@example.org, private_network: true, concurrency: 8, %s}\n",
                       mails[i], r->mail_port, patience);
}

/* "Message-ID: <TASK@example.org>" */
static void tell_mail(struct accounts *accounts, const char *folder, const char *name)
{
    static const char mark[] = "Message-ID: <";
    char *text = scratch_read(scratch_path(folder, name), NULL);
    const char *at = text != NULL ? strstr(text, mark) : NULL;
    struct str id, rest;

    if (at != NULL && str_cut(str_of(at + strlen(mark)), '@', &id, &rest))
        accounts_task(accounts, id)->mailed++;
    free(text);
}

static void tell_folder(struct accounts *accounts, const char *folder)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;

    while (dir != NULL && (entry = readdir(dir)) != NULL)
        if (str_ends(str_of(entry->d_name), STR(".eml")))
            tell_mail(accounts, folder, entry->d_name);
    if (dir != NULL)
        closedir(dir);
}

void receivers_tell(struct receivers *r, struct accounts *accounts)
{
    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < r->kept_count; i++)
        accounts_task(accounts, str_of(r->kept[i]))->posted++;
    pthread_mutex_unlock(&r->lock);
    for (int i = 0; i < r->starts; i++)
        tell_folder(accounts, r->folders[i]);
}
