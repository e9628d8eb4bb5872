/* A database of any bytes is refused, or answers whatever it is asked.
 *
 * The library opens files only, so the input is written to one in memory. */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "connectors/geoip/geoip.h"
#include "core/check.h"

static void ask(struct geoip *g, const char *address)
{
    struct str out[GEO_COUNT];
    enum geoip_answer answer = geoip_find(g, str_of(address), out);

    for (size_t i = 0; i < GEO_COUNT; i++) {
        CHECK(event_check_text("geo", out[i], 96, NULL) == EVENT_FINE);
        CHECK(answer == GEOIP_FOUND || out[i].len == 0);
    }
}

/* libmaxminddb 1.7.1 keeps 4.6 KB of a file whose description it cannot read and refuses.  That ours is closed
 * is seen by the unit tests. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libmaxminddb";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static const char *const addresses[] = {
        "0.0.0.0",     "81.2.69.7",   "128.0.0.1",       "255.255.255.255", "::",
        "2001:db8::1", "2a02:a400::", "ffff:ffff::ffff", "::ffff:81.2.69.1"};
    int file = memfd_create("fuzz", 0);
    struct geoip *g;
    char path[32];

    CHECK(file != -1 && write(file, data, bytes) == (ssize_t)bytes);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    if (geoip_open(path, &g, NULL) == ERR_NONE) {
        for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++)
            ask(g, addresses[i]);
        geoip_close(g);
    }
    close(file);
    return 0;
}
