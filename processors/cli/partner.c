/* Messages wait in a ring between the server's thread and the one that shows them; when it is full the
 * sender is told to come again, as a busy receiver would. */
#include "processors/cli/partner.h"

#include <pthread.h>

#include "core/httpd.h"
#include "core/json.h"
#include "core/mem.h"

enum { MESSAGES_MAX = 256 };

struct partner {
    struct httpd *httpd;
    pthread_mutex_t lock;
    struct buf messages[MESSAGES_MAX]; /* bodies; from `first` on, `count` of them */
    size_t first, count;
};

static bool keep(struct partner *p, struct str body)
{
    bool room;

    pthread_mutex_lock(&p->lock);
    room = p->count < MESSAGES_MAX;
    if (room)
        buf_put(&p->messages[(p->first + p->count++) % MESSAGES_MAX], body);
    pthread_mutex_unlock(&p->lock);
    return room;
}

static void receive(void *context, const struct http_request *request, struct http_answer *answer)
{
    if (!str_is(request->method, "POST"))
        answer->status = 405;
    else
        answer->status = keep(context, request->body) ? 204 : 503;
}

enum err_code partner_open(struct partner **out, struct err *err)
{
    struct partner *p = MEM_NEW(struct partner);
    const struct http_handler handler = {p, receive};
    enum err_code code;

    *out = NULL;
    pthread_mutex_init(&p->lock, NULL);
    code = httpd_open("127.0.0.1:0", NULL, &handler, &p->httpd, err);
    if (code != ERR_NONE) {
        partner_close(p);
        return code;
    }
    *out = p;
    return ERR_NONE;
}

int partner_port(const struct partner *partner)
{
    return httpd_port(partner->httpd);
}

/* {"type": ..., "timestamp": ..., "data": {...}} */
static bool read_message(struct str body, struct arena *arena, struct partner_message *out)
{
    struct buf data = {0};
    struct value v, type;

    if (json_parse(body, arena, &v, NULL) != JSON_FINE)
        return false;
    type = json_at(v, STR("/type"));
    if (type.kind != VALUE_STRING)
        return false;
    json_put_value(&data, json_at(v, STR("/data")));
    *out = (struct partner_message){value_str(type), arena_str(arena, buf_str(&data))};
    buf_free(&data);
    return true;
}

bool partner_take(struct partner *p, struct arena *arena, struct partner_message *out)
{
    bool taken = false;

    pthread_mutex_lock(&p->lock);
    while (!taken && p->count != 0) {
        struct buf *body = &p->messages[p->first];
        taken = read_message(arena_str(arena, buf_str(body)), arena, out);
        buf_free(body);
        p->first = (p->first + 1) % MESSAGES_MAX;
        p->count--;
    }
    pthread_mutex_unlock(&p->lock);
    return taken;
}

void partner_close(struct partner *p)
{
    if (p == NULL)
        return;
    httpd_close(p->httpd);
    for (size_t i = 0; i < MESSAGES_MAX; i++)
        buf_free(&p->messages[i]);
    pthread_mutex_destroy(&p->lock);
    mem_free(p);
}
