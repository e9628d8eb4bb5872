#include "processors/cli/loopback.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

struct sockaddr_in loopback_address(int port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

int loopback_free_port(int preferred)
{
    struct sockaddr_in address = loopback_address(preferred);
    socklen_t bytes = sizeof address;
    int on = 1, port = 0;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd == -1)
        return 0;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on); /* as the server will do itself */
    if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
        getsockname(fd, (struct sockaddr *)&address, &bytes) == 0)
        port = ntohs(address.sin_port);
    close(fd);
    return port == 0 && preferred != 0 ? loopback_free_port(0) : port;
}
