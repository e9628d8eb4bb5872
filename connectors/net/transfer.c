#include "connectors/net/transfer_parts.h"

#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connectors/net/address.h"
#include "core/check.h"
#include "core/mem.h"

enum { CONNECT_MS_MAX = 5000 }; /* of the time for all; a receiver that is away is found out soon */

static void init_library(void)
{
    CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
    /* OpenSSL writes to sockets that the other side may have closed; threads cannot each have
     * their own mind about that */
    signal(SIGPIPE, SIG_IGN);
}

enum err_code transfer_open(const struct transfer_config *config, struct transfer **out,
                            struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct transfer *t;

    *out = NULL;
    pthread_once(&once, init_library);
    t = MEM_NEW(struct transfer);
    t->private_network = config->private_network;
    if (config->ca_file.len != 0)
        t->ca_file = mem_copy_text(config->ca_file.data, config->ca_file.len);
    if (t->ca_file != NULL && access(t->ca_file, R_OK) != 0) {
        enum err_code code = err_set(err, ERR_CONFIG, "ca_file %s cannot be read", t->ca_file);
        transfer_close(t);
        return code;
    }
    t->easy = curl_easy_init();
    CHECK(t->easy != NULL);
    *out = t;
    return ERR_NONE;
}

void transfer_close(struct transfer *transfer)
{
    if (transfer == NULL)
        return;
    curl_easy_cleanup(transfer->easy);
    mem_free(transfer->ca_file);
    mem_free(transfer);
}

/* libcurl asks for a socket when the name has been resolved: the last moment to say no, and the
 * address cannot change any more. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *to)
{
    struct transfer *t = context;

    (void)purpose;
    if (!t->private_network && !address_is_public(&to->addr)) {
        t->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

static int on_begin(void *context, char *address, char *local, int port, int local_port)
{
    struct transfer *t = context;

    (void)address, (void)local, (void)port, (void)local_port;
    t->began = true;
    return CURL_PREREQFUNC_OK;
}

bool transfer_url_is_fine(const struct transfer *t, struct str url, struct str safe,
                          struct str open, struct err *err)
{
    if (str_starts(url, safe) || (t->private_network && str_starts(url, open)))
        return true;
    if (str_starts(url, open))
        err_set(err, ERR_CONFIG, "without TLS (%.*s) only with private_network: true",
                STR_ARG(open));
    else
        err_set(err, ERR_CONFIG, "the URL has to begin with %.*s", STR_ARG(safe));
    return false;
}

#define SET(option, value) CHECK(curl_easy_setopt(t->easy, (option), (value)) == CURLE_OK)

void transfer_prepare(struct transfer *t, const char *url, const char *schemes, int timeout_ms)
{
    t->began = false;
    t->refused = false;
    t->why[0] = '\0';
    curl_easy_reset(t->easy); /* options, not connections */
    SET(CURLOPT_URL, url);
    SET(CURLOPT_PROTOCOLS_STR, schemes);
    SET(CURLOPT_NOSIGNAL, 1L); /* threads */
    SET(CURLOPT_ERRORBUFFER, t->why);
    SET(CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    SET(CURLOPT_CONNECTTIMEOUT_MS,
        (long)(timeout_ms < CONNECT_MS_MAX ? timeout_ms : CONNECT_MS_MAX));
    SET(CURLOPT_PROXY, ""); /* a proxy would resolve the name, unseen by open_socket */
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
    SET(CURLOPT_OPENSOCKETDATA, t);
    SET(CURLOPT_PREREQFUNCTION, on_begin);
    SET(CURLOPT_PREREQDATA, t);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (t->ca_file != NULL)
        SET(CURLOPT_CAINFO, t->ca_file);
}

CURLcode transfer_run(struct transfer *t)
{
    return curl_easy_perform(t->easy);
}

void transfer_explain(const struct transfer *t, CURLcode code, struct err *err)
{
    if (t->refused)
        err_set(err, ERR_DOWN,
                "the name leads to an address that is not public; private_network: true allows it");
    else
        err_set(err, ERR_DOWN, "%s", t->why[0] != '\0' ? t->why : curl_easy_strerror(code));
}
