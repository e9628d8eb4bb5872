#include "processors/console/console.h"

#include <stdio.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/httpd.h"
#include "core/mem.h"
#include "core/metric.h"
#include "core/readiness.h"

struct console {
    struct httpd *httpd;
};

/* What only the system knows is asked when somebody looks. */
static void measure_process(void)
{
    FILE *statm = fopen("/proc/self/statm", "r");
    long pages = 0;

    if (statm != NULL) {
        if (fscanf(statm, "%*d %ld", &pages) != 1)
            pages = 0;
        fclose(statm);
    }
    metric_set(metric_series(METRIC_PROCESS_MEMORY, NULL, 0),
               (double)pages * (double)sysconf(_SC_PAGESIZE));
    metric_set(metric_series(METRIC_PROCESS_CPU, NULL, 0), (double)clock_cpu_us() / 1e6);
}

static void answer_metrics(struct http_answer *answer)
{
    answer->content_type = "text/plain; version=0.0.4; charset=utf-8";
    measure_process();
    metric_write_all(&answer->body);
}

static void answer_livez(struct http_answer *answer)
{
    buf_put_text(&answer->body, "alive\n");
}

static void answer_readyz(struct http_answer *answer)
{
    answer->content_type = "application/json";
    if (!readiness_put_json(&answer->body))
        answer->status = 503;
}

static void answer_start(struct http_answer *answer);

static const struct page {
    const char *path;
    const char *title;
    void (*answer)(struct http_answer *answer);
} pages[] = {
    {"/", "this list", answer_start},
    {"/metrics", "Prometheus metrics", answer_metrics},
    {"/livez", "is the process alive", answer_livez},
    {"/readyz", "does every part do its work, and if not, why", answer_readyz},
};
enum { PAGE_COUNT = sizeof pages / sizeof pages[0] };

static void answer_start(struct http_answer *answer)
{
    answer->content_type = "text/html; charset=utf-8";
    buf_put_text(
        &answer->body,
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
        "<title>attent</title>\n"
        "<style>body { font: 1.1em/1.6 system-ui, sans-serif; margin: 3em auto; max-width: "
        "40em; padding: 0 1em }\ndd { margin: 0 0 1em 0 }</style>\n"
        "<h1>attent</h1>\n<p>What this process tells of itself. What it decides: "
        "<code>attent tap</code>, <code>attent why CUSTOMER</code>.</p>\n<dl>\n");
    for (size_t i = 0; i < PAGE_COUNT; i++)
        buf_put_format(&answer->body, "<dt><a href=\"%s\">%s</a></dt><dd>%s</dd>\n", pages[i].path,
                       pages[i].path, pages[i].title);
    buf_put_text(&answer->body, "</dl>\n");
}

static void answer_page(void *context, const struct http_request *request,
                        struct http_answer *answer)
{
    (void)context;
    if (!str_is(request->method, "GET") && !str_is(request->method, "HEAD")) {
        answer->status = 405;
        buf_put_text(&answer->body, "only GET and HEAD\n");
        return;
    }
    for (size_t i = 0; i < PAGE_COUNT; i++)
        if (str_is(request->path, pages[i].path)) {
            pages[i].answer(answer);
            return;
        }
    answer->status = 404;
    buf_put_text(&answer->body, "there is no such page; / lists them\n");
}

enum err_code console_open(const char *address, struct console **out, struct err *err)
{
    struct console *console = MEM_NEW(struct console);
    const struct http_handler handler = {console, answer_page};
    enum err_code code = httpd_open(address, NULL, &handler, &console->httpd, err);

    *out = NULL;
    if (code != ERR_NONE) {
        mem_free(console);
        err_prefix(err, "console");
        return code;
    }
    *out = console;
    return ERR_NONE;
}

int console_port(const struct console *console)
{
    return httpd_port(console->httpd);
}

void console_close(struct console *console)
{
    if (console == NULL)
        return;
    httpd_close(console->httpd);
    mem_free(console);
}
