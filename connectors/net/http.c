#include "connectors/net/http.h"

#include "connectors/net/retry_after.h"
#include "connectors/net/transfer_parts.h"
#include "core/check.h"
#include "core/limit.h"

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
    struct http_reply *reply = context;
    size_t bytes = size * count, room = LIMIT_HTTP_ANSWER_BYTES - reply->body.len;

    buf_put(&reply->body, (struct str){data, bytes < room ? bytes : room});
    if (bytes <= room)
        return bytes;
    reply->cut = true; /* the status is known; nobody needs so much of the rest */
    return 0;
}

/* Nothing that would end a line, or that a server may take for the end of one. */
static bool is_printable(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.data[i] < ' ' || s.data[i] == 0x7f)
            return false;
    return true;
}

enum err_code http_url_check(const struct transfer *t, struct str url, struct err *err)
{
    if (!is_printable(url) || str_contains(url, STR(" ")))
        return err_set(err, ERR_CONFIG, "the URL holds a blank or a control character");
    return transfer_url_is_fine(t, url, STR("https://"), STR("http://"), err) ? ERR_NONE
                                                                              : ERR_CONFIG;
}

/* The caller frees *list.  False: one of them cannot be a header. */
static bool make_headers(const struct http_ask *ask, struct curl_slist **list, struct err *err)
{
    struct buf line = {0};
    bool fine = true;

    /* libcurl would send "Expect: 100-continue" with a large body, and wait */
    *list = curl_slist_append(NULL, "Expect:");
    for (size_t i = 0; i < ask->header_count && fine; i++) {
        const struct http_header *h = &ask->headers[i];
        buf_clear(&line);
        /* "Name;" is how libcurl wants a header without a value */
        buf_put_format(&line, h->value.len != 0 ? "%s: " : "%s;", h->name);
        buf_put(&line, h->value);
        fine = is_printable(h->value);
        if (!fine)
            err_set(err, ERR_PARSE, "the header %s would hold a line break or a control character",
                    h->name);
        else
            *list = curl_slist_append(*list, buf_text(&line));
        CHECK(*list != NULL);
    }
    buf_free(&line);
    return fine;
}

#define SET(option, value) CHECK(curl_easy_setopt(t->easy, (option), (value)) == CURLE_OK)

static void prepare(struct transfer *t, const struct http_ask *ask, const char *url,
                    struct curl_slist *headers, int timeout_ms, struct http_reply *reply)
{
    transfer_prepare(t, url, "http,https", timeout_ms);
    /* one request at a time gains nothing from HTTP/2, and 1.1 repeats nothing by itself */
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_CUSTOMREQUEST, ask->method);
    SET(CURLOPT_HTTPHEADER, headers);
    SET(CURLOPT_USERAGENT, "attent");
    if (ask->body.len != 0 || strcmp(ask->method, "POST") == 0) {
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)ask->body.len);
        SET(CURLOPT_POSTFIELDS, ask->body.len != 0 ? ask->body.data : "");
    }
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, reply);
    if (!ask->repeatable) {
        SET(CURLOPT_FRESH_CONNECT, 1L);
        SET(CURLOPT_FORBID_REUSE, 1L);
    }
}

static enum transfer_end judge(struct transfer *t, CURLcode code, int64_t now_ms,
                               struct http_reply *reply, struct err *err)
{
    struct curl_header *retry_after;
    long status = 0;

    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status < 200) { /* also 1xx: it wants to go on, and did not */
        transfer_explain(t, code, err);
        return t->began ? TRANSFER_IN_DOUBT : TRANSFER_NOT_SENT;
    }
    reply->status = (int)status;
    reply->cut |= code != CURLE_OK;
    reply->retry_after_ms = RETRY_AFTER_NONE;
    if (curl_easy_header(t->easy, "Retry-After", 0, CURLH_HEADER, -1, &retry_after) == CURLHE_OK)
        reply->retry_after_ms = retry_after_ms(str_of(retry_after->value), now_ms);
    return TRANSFER_ANSWERED;
}

enum transfer_end http_send(struct transfer *t, const struct http_ask *ask, int timeout_ms,
                            struct http_reply *reply, struct err *err)
{
    enum transfer_end end = TRANSFER_WRONG;
    struct curl_slist *headers = NULL;
    struct buf url = {0};

    CHECK(timeout_ms > 0); /* libcurl takes 0 for no limit */
    buf_put(&url, ask->url);
    if (http_url_check(t, ask->url, err) == ERR_NONE && make_headers(ask, &headers, err)) {
        CURLcode code;
        prepare(t, ask, buf_text(&url), headers, timeout_ms, reply);
        code = transfer_run(t);
        if (code == CURLE_URL_MALFORMAT)
            err_set(err, ERR_CONFIG, "the URL is malformed");
        else
            end = judge(t, code, ask->now_ms, reply, err);
    }
    curl_slist_free_all(headers);
    buf_free(&url);
    return end;
}

enum transfer_end http_post(struct transfer *t, const struct http_post *post, int timeout_ms,
                            struct http_reply *reply, struct err *err)
{
    const struct http_header headers[] = {
        {"Authorization", post->authorization},
        {"Content-Type", post->content_type},
    };
    const struct http_ask ask = {.method = "POST",
                                 .url = post->url,
                                 .headers = headers,
                                 .header_count = 2,
                                 .body = post->body,
                                 .now_ms = post->now_ms};

    return http_send(t, &ask, timeout_ms, reply, err);
}

void http_reply_free(struct http_reply *reply)
{
    buf_free(&reply->body);
}

struct value http_reply_json(const struct http_reply *reply, struct arena *arena)
{
    struct value body;

    return json_parse(buf_str(&reply->body), arena, &body, NULL) == JSON_FINE ? body : VALUE_NONE;
}

void http_put_escaped(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            (c != '\0' && strchr("-._~", c) != NULL))
            buf_put_char(out, (char)c);
        else
            buf_put_format(out, "%%%02X", c);
    }
}
