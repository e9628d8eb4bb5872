/* A request goes down until something is wrong with it:
 *
 *     path -> channel -> verify -> read -> each outcome's reference -> records -> kept -> 200
 *
 * Nothing of a request is believed before verify, and nothing is written before: who has no secret
 * can only be counted.
 */
#include "processors/dispatch/receiver.h"

#include "core/check.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/metric.h"
#include "processors/dispatch/reports.h"
#include "processors/dispatch/unsubscribe_page.h"

#define PART "receiver"

enum {
    CONNECTIONS_MAX = 128,            /* each may hold a body: not more than this together */
    BODY_BYTES_MAX = 3 * 1024 * 1024, /* a batch of Meta's, by its documentation */
};

struct receiver {
    const struct receiver_config *config;
    struct str prefix; /* path of public_url, which a proxy may have taken off or not */
    struct httpd *httpd;
};

struct call { /* one request on its way */
    const struct receiver *receiver;
    const struct http_request *request;
    struct http_answer *answer;
    struct arena *arena;
    int64_t now_ms;
};

/* How a call ended: a status, and a label of the metric. */
enum ending {
#define ENDING(name, status, label) END_##name,
#include "processors/dispatch/endings.def"
#undef ENDING
    ENDING_COUNT,
};

static const struct {
    int status;
    const char *label;
} endings[] = {
#define ENDING(name, status, label) {status, label},
#include "processors/dispatch/endings.def"
#undef ENDING
};

static void end_call(struct call *call, struct str channel, enum ending ending, const char *why)
{
    const struct str labels[] = {channel, str_of(endings[ending].label)};

    metric_add(metric_series(METRIC_RECEIVER_CALLS, labels, 2), 1);
    call->answer->status = endings[ending].status;
    if (ending != END_FINE)
        log_debug(PART, "a call was not taken", LOG_STR("channel", channel),
                  LOG_TEXT("result", endings[ending].label), LOG_TEXT("why", why), LOG_END);
}

static struct str field(const struct http_request *request, const char *name)
{
    const struct callback callback = {.headers = request->fields,
                                      .header_count = request->field_count};

    return callback_header(&callback, name);
}

static enum err_code keep(const struct call *call, const struct reports *reports, struct err *err)
{
    const struct receiver_config *config = call->receiver->config;

    if (reports->count == 0)
        return ERR_NONE;
    return config->keep(config->context, reports->records, reports->count, err);
}

/* --- callbacks ----------------------------------------------------------------------------------- */

static const struct channel_config *find_channel(const struct receiver_config *config,
                                                 struct str name)
{
    for (size_t i = 0; i < config->channel_count; i++)
        if (str_equal(config->channels[i].name, name) &&
            config->channels[i].class->callback != NULL)
            return &config->channels[i];
    return NULL;
}

static void count_reported(enum metric metric, struct str channel, const char *what)
{
    const struct str labels[] = {channel, str_of(what)};

    metric_add(metric_series(metric, labels, 2), 1);
}

/* A partner's own codes are one label, so that nobody makes a series of their own. */
static const char *label_of_code(struct str code)
{
    for (int i = 0; i < CALLBACK_CODE_COUNT; i++)
        if (str_is(code, callback_code_text((enum callback_code)i)))
            return callback_code_text((enum callback_code)i);
    return "other";
}

/* Is it of a task that went out by this channel?  Then it is in reports. */
static bool take_outcome(struct call *call, const struct channel_config *channel,
                         const struct callback_outcome *outcome, struct reports *reports)
{
    const struct links *links = call->receiver->config->links;
    struct buf bytes = {0};
    struct reference reference;
    bool known = reference_read(outcome->reference, links->key, call->now_ms, &bytes, &reference) &&
                 str_equal(reference.channel, channel->name) &&
                 (outcome->task.len == 0 || str_equal(outcome->task, reference.task));

    if (known)
        reports_add_outcome(reports, outcome, &reference);
    buf_free(&bytes);
    return known;
}

static enum err_code take_stop(struct call *call, const struct channel_config *channel,
                               const struct callback_stop *stop, struct reports *reports,
                               struct err *err)
{
    const struct receiver_config *config = call->receiver->config;
    struct str customer = STR_EMPTY;
    enum err_code code = ERR_NONE;

    if (config->customer_of != NULL)
        code = config->customer_of(config->context, channel->name, stop->address, call->arena,
                                   &customer, err);
    if (code != ERR_NONE)
        return code;
    if (customer.len != 0)
        reports_add_withdrawn(reports, customer, STR_EMPTY, channel->name, stop->id, stop->at_ms);
    else
        reports_add_dead_letter(reports, channel->name, "unknown_sender",
                                "who wrote STOP has no task that is remembered",
                                call->request->body);
    count_reported(METRIC_RECEIVER_STOPS, channel->name, customer.len != 0 ? "known" : "unknown");
    return ERR_NONE;
}

/* All that one call says: kept together, or not at all. */
static enum ending take_report(struct call *call, const struct channel_config *channel,
                               const struct callback_report *report, struct err *err)
{
    struct reports reports = {
        .config = call->receiver->config, .arena = call->arena, .now_ms = call->now_ms};
    size_t unknown = 0;

    for (size_t i = 0; i < report->outcome_count; i++)
        unknown += !take_outcome(call, channel, &report->outcomes[i], &reports);
    for (size_t i = 0; i < report->stop_count; i++)
        if (take_stop(call, channel, &report->stops[i], &reports, err) != ERR_NONE)
            return END_UNAVAILABLE;
    if (unknown != 0)
        reports_add_dead_letter(&reports, channel->name, "unknown_task",
                                "the reference is not of a task of this channel, or has expired",
                                call->request->body);
    if (keep(call, &reports, err) != ERR_NONE)
        return END_UNAVAILABLE;
    for (size_t i = 0; i < report->outcome_count; i++)
        count_reported(METRIC_RECEIVER_OUTCOMES, channel->name,
                       label_of_code(report->outcomes[i].code));
    return unknown != 0 && unknown == report->outcome_count ? END_UNKNOWN_TASK : END_FINE;
}

static enum ending ending_of(enum callback_verdict verdict)
{
    switch (verdict) {
    case CALLBACK_FINE: return END_FINE;
    case CALLBACK_REFUSED: return END_REFUSED;
    case CALLBACK_OLD: return END_OLD;
    case CALLBACK_MALFORMED: return END_MALFORMED;
    }
    CHECK_NEVER("callback_verdict");
}

static struct callback callback_of(const struct call *call, struct str path, struct str reference)
{
    struct str before, query = STR_EMPTY;
    struct str url;

    str_cut(call->request->target, '?', &before, &query);
    url = arena_format(call->arena, "%.*s%.*s%s%.*s",
                       STR_ARG(call->receiver->config->links->public_url), STR_ARG(path),
                       query.len != 0 ? "?" : "", STR_ARG(query));
    return (struct callback){.method = call->request->method,
                             .url = url,
                             .query = query,
                             .body = call->request->body,
                             .headers = call->request->fields,
                             .header_count = call->request->field_count,
                             .reference = reference,
                             .now_ms = call->now_ms};
}

/* path: "/callback/CHANNEL[/REFERENCE]" */
static void answer_callback(struct call *call, struct str path)
{
    struct str rest = str_slice(path, STR("/callback/").len, path.len);
    struct str name = rest, reference = STR_EMPTY;
    const struct channel_config *channel;
    struct callback_report report = {0};
    struct callback callback;
    struct err err = {0};
    enum ending ending;

    str_cut(rest, '/', &name, &reference);
    channel = find_channel(call->receiver->config, name);
    if (channel == NULL) {
        end_call(call, STR("unknown"), END_UNKNOWN_CHANNEL, "");
        return;
    }
    if (!str_is(call->request->method, "GET") && !str_is(call->request->method, "POST")) {
        end_call(call, channel->name, END_METHOD, "");
        return;
    }
    callback = callback_of(call, path, reference);
    ending = ending_of(channel->class->callback->verify(channel->conf, &callback, &err));
    if (ending == END_FINE)
        ending = ending_of(
            channel->class->callback->read(channel->conf, &callback, call->arena, &report, &err));
    if (ending == END_FINE)
        ending = take_report(call, channel, &report, &err);
    if (ending == END_FINE)
        buf_put(&call->answer->body, report.answer);
    end_call(call, channel->name, ending, err.text);
}

/* --- unsubscribe --------------------------------------------------------------------------------- */

static void show(struct call *call, enum unsubscribe_page page, const struct unsubscribe *u,
                 enum ending ending)
{
    call->answer->content_type = "text/html; charset=utf-8";
    unsubscribe_page_put(&call->answer->body, page, field(call->request, "Accept-Language"), u);
    end_call(call, STR("unsubscribe"), ending, "");
}

/* The event's id holds the time: who agreed again may unsubscribe again by the same link. */
static void unsubscribe(struct call *call, const struct unsubscribe *u, struct str token)
{
    struct reports reports = {
        .config = call->receiver->config, .arena = call->arena, .now_ms = call->now_ms};
    struct err err = {0};

    reports_add_withdrawn(
        &reports, u->customer, u->purpose, u->channel,
        arena_format(call->arena, "%.*s %lld", STR_ARG(token), (long long)call->now_ms), 0);
    if (keep(call, &reports, &err) == ERR_NONE)
        show(call, PAGE_DONE, u, END_FINE);
    else
        show(call, PAGE_TROUBLE, u, END_UNAVAILABLE);
}

static void answer_unsubscribe(struct call *call, struct str path)
{
    struct str token = str_slice(path, STR("/unsubscribe/").len, path.len);
    struct str method = call->request->method;
    struct unsubscribe u = {0};
    struct buf bytes = {0};

    if (!unsubscribe_read_token(token, call->receiver->config->links->key, call->now_ms, &bytes,
                                &u))
        show(call, PAGE_WRONG, &u, END_UNKNOWN_TASK);
    else if (str_is(method, "POST"))
        unsubscribe(call, &u, token);
    else if (str_is(method, "GET") || str_is(method, "HEAD"))
        show(call, PAGE_ASK, &u, END_LOOKED);
    else
        end_call(call, STR("unsubscribe"), END_METHOD, "");
    buf_free(&bytes);
}

/* --- the server ---------------------------------------------------------------------------------- */

/* The path as it was sent: a signature is over that. */
static struct str path_of(const struct receiver *r, const struct http_request *request)
{
    struct str path = request->target, query;

    str_cut(request->target, '?', &path, &query);
    if (r->prefix.len != 0 && str_starts(path, r->prefix))
        path = str_slice(path, r->prefix.len, path.len);
    return path;
}

static void answer(void *context, const struct http_request *request, struct http_answer *out)
{
    struct receiver *r = context;
    struct call call = {.receiver = r,
                        .request = request,
                        .answer = out,
                        .arena = arena_new(0),
                        .now_ms = r->config->clock_ms()};
    struct str path = path_of(r, request);

    if (str_starts(path, STR("/callback/")))
        answer_callback(&call, path);
    else if (str_starts(path, STR("/unsubscribe/")))
        answer_unsubscribe(&call, path);
    else
        end_call(&call, STR("unknown"), END_UNKNOWN_CHANNEL, "");
    arena_free(call.arena);
}

/* The path of "https://host/path"; empty: it has none. */
static struct str prefix_of(struct str url)
{
    struct str scheme, rest = url;
    size_t at = 0;

    str_cut(url, '/', &scheme, &rest); /* "https:" */
    rest = str_slice(rest, 1, rest.len);
    while (at < rest.len && rest.data[at] != '/')
        at++;
    return str_slice(rest, at, rest.len);
}

enum err_code receiver_open(const struct receiver_config *config, struct receiver **out,
                            struct err *err)
{
    const struct httpd_options options = {
        .threads = config->threads, .connections = CONNECTIONS_MAX, .body_bytes = BODY_BYTES_MAX};
    struct receiver *r;
    enum err_code code = links_check(config->links, err);

    *out = NULL;
    if (code == ERR_NONE && config->links->public_url.len == 0)
        code = err_set(err, ERR_CONFIG, "receiver.address needs receiver.public_url");
    if (code != ERR_NONE)
        return code;
    r = MEM_NEW(struct receiver);
    r->config = config;
    r->prefix = prefix_of(config->links->public_url);
    const struct http_handler handler = {r, answer};
    code = httpd_open(config->address, &options, &handler, &r->httpd, err);
    if (code != ERR_NONE) {
        err_prefix(err, "receiver.address");
        receiver_close(r);
        return code;
    }
    *out = r;
    return ERR_NONE;
}

int receiver_port(const struct receiver *r)
{
    return httpd_port(r->httpd);
}

void receiver_close(struct receiver *r)
{
    if (r == NULL)
        return;
    httpd_close(r->httpd);
    mem_free(r);
}
