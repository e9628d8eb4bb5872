#include "connectors/redis/address.h"

#include <stdio.h>

enum { PORT = 6379, PORT_MAX = 65535 };

void redis_node_set(struct redis_node *node, struct str host, int port)
{
    bool is_v6 = port != 0 && str_contains(host, STR(":"));

    node->port = port;
    snprintf(node->host, sizeof node->host, "%.*s", STR_ARG(host));
    if (port == 0)
        snprintf(node->text, sizeof node->text, "unix:%.*s", STR_ARG(host));
    else
        snprintf(node->text, sizeof node->text, is_v6 ? "[%.*s]:%d" : "%.*s:%d", STR_ARG(host),
                 port);
}

static enum err_code wrong(struct err *err, const char *what, struct str of)
{
    return err_set(err, ERR_CONFIG,
                   "redis.address: %s \"%.*s\"; it is host:port, redis://host:port or "
                   "redis+cluster://host:port,host:port",
                   what, STR_ARG(of));
}

static bool read_port(struct str text, int *out)
{
    int port = 0;

    if (text.len == 0 || text.len > 5)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        port = 10 * port + text.data[i] - '0';
    }
    *out = port;
    return port >= 1 && port <= PORT_MAX;
}

/* "host:port", "[v6]:port", "host" */
static enum err_code read_node(struct str text, struct redis_node *out, struct err *err)
{
    struct str host = text, port = STR_EMPTY;
    int number = PORT;

    if (str_starts(text, STR("["))) {
        if (!str_cut(str_slice(text, 1, text.len), ']', &host, &port) ||
            (port.len > 0 && port.data[0] != ':'))
            return wrong(err, "no address", text);
        port = str_slice(port, 1, port.len);
    } else {
        str_cut(text, ':', &host, &port);
    }
    if (host.len == 0 || host.len >= sizeof out->host)
        return wrong(err, "no host in", text);
    if (port.len > 0 && !read_port(port, &number))
        return wrong(err, "no port in", text);
    redis_node_set(out, host, number);
    return ERR_NONE;
}

static int hex_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
        return (c | 0x20) - 'a' + 10;
    return -1;
}

/* A % that encodes nothing stands for itself: a password may come from a file as it is. */
static bool decode(struct str text, char *out, size_t room)
{
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++) {
        bool is_code = text.data[i] == '%' && i + 2 < text.len && hex_of(text.data[i + 1]) >= 0 &&
                       hex_of(text.data[i + 2]) >= 0;
        char c = is_code ? (char)(16 * hex_of(text.data[i + 1]) + hex_of(text.data[i + 2]))
                         : text.data[i];

        if (len + 1 >= room || c == '\0')
            return false;
        out[len++] = c;
        i += is_code ? 2 : 0;
    }
    out[len] = '\0';
    return true;
}

/* What stands before the last @. */
static enum err_code read_user(struct str *rest, struct redis_address *out, struct err *err)
{
    size_t at = rest->len;
    struct str all, user, password = STR_EMPTY;

    while (at > 0 && rest->data[at - 1] != '@')
        at--;
    if (at == 0)
        return ERR_NONE;
    all = str_slice(*rest, 0, at - 1);
    *rest = str_slice(*rest, at, rest->len);
    if (!str_cut(all, ':', &user, &password))
        user = all;
    if (!decode(user, out->user, sizeof out->user) ||
        !decode(password, out->password, sizeof out->password))
        return err_set(err, ERR_CONFIG, "redis.address: its user or password is too long");
    return ERR_NONE;
}

static enum err_code read_nodes(struct str rest, struct redis_address *out, struct err *err)
{
    struct str one, more = rest;
    enum err_code code = ERR_NONE;

    for (bool last = false; !last && code == ERR_NONE;) {
        last = !str_cut(more, ',', &one, &more);
        if (last)
            one = more;
        if (out->count == REDIS_NODES_MAX)
            return err_set(err, ERR_CONFIG, "redis.address: more than %d nodes", REDIS_NODES_MAX);
        code = read_node(str_trim(one), &out->nodes[out->count++], err);
    }
    if (code == ERR_NONE && !out->cluster && out->count > 1)
        return err_set(err, ERR_CONFIG,
                       "redis.address: several servers are a cluster: redis+cluster://%s,...",
                       out->nodes[0].text);
    return code;
}

static bool take_scheme(struct str *rest, struct redis_address *out)
{
    static const struct {
        struct str scheme;
        bool cluster, tls;
    } all[] = {{{"redis://", 8}, false, false},
               {{"rediss://", 9}, false, true},
               {{"redis+cluster://", 16}, true, false},
               {{"rediss+cluster://", 17}, true, true}};

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (str_starts(*rest, all[i].scheme)) {
            *rest = str_slice(*rest, all[i].scheme.len, rest->len);
            out->cluster = all[i].cluster;
            out->tls = all[i].tls;
            return true;
        }
    return false;
}

static enum err_code read_url(struct str rest, struct redis_address *out, struct err *err)
{
    struct str nodes, database = STR_EMPTY;
    enum err_code code = read_user(&rest, out, err);

    if (code != ERR_NONE)
        return code;
    if (!str_cut(rest, '/', &nodes, &database))
        nodes = rest;
    if (database.len > 0 && !str_is(database, "0"))
        return wrong(err, "only database 0 is used, not", database);
    return read_nodes(nodes, out, err);
}

enum err_code redis_address_read(struct str text, struct redis_address *out, struct err *err)
{
    struct str rest = text;

    *out = (struct redis_address){0};
    if (str_starts(text, STR("unix:"))) {
        if (text.len - 5 >= sizeof out->nodes[0].host)
            return wrong(err, "too long a path:", text);
        redis_node_set(&out->nodes[out->count++], str_slice(text, 5, text.len), 0);
        return ERR_NONE;
    }
    if (take_scheme(&rest, out))
        return read_url(rest, out, err);
    if (str_contains(text, STR("://")))
        return err_set(err, ERR_CONFIG,
                       "redis.address: begins with none of redis://, rediss://, redis+cluster:// "
                       "and rediss+cluster://");
    if (str_contains(text, STR("@")))
        return err_set(err, ERR_CONFIG, "redis.address: write redis:// before user and password");
    return read_nodes(text, out, err);
}
