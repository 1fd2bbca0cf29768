/* A stand-in for the kernel's IPVS, where the kernel has none but has nf_tables:
 *
 *   cc -shared -fPIC -o fakeipvs.so fakeipvs.c
 *   LD_PRELOAD=./fakeipvs.so FAKEIPVS_LOG=FILE keepalived ...
 *
 * A generic netlink socket becomes one end of a pair. Requests are acknowledged at once and change
 * nothing; IPVS is always empty. FILE gets a line for each change of a service, and for each
 * transaction of nf_tables, which goes to the kernel. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/genetlink.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { IPVS = 0x30, NEW_SERVICE = 1, DEL_SERVICE = 3, GET_SERVICE = 4, GET_DEST = 8,
       GET_DAEMON = 11, SET_INFO = 14, GET_INFO = 15, FDS = 1024 };
/* Attributes. */
enum { SERVICE = 1, SERVICE_MARK = 5, INFO_VERSION = 1, INFO_SIZE = 2 };

#define NEXT(name) static __typeof__(&name) next; if (!next) next = dlsym(RTLD_NEXT, #name)

static struct { int far; int is_nft; } fds[FDS];

static int is_known(int fd) { return fd >= 0 && fd < FDS; }
static int is_fake(int fd) { return is_known(fd) && fds[fd].far; }

static void note(const char *format, ...)
{
    NEXT(write);
    const char *path = getenv("FAKEIPVS_LOG");
    char line[80];
    va_list args;
    int fd;
    if (!path || (fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644)) < 0)
        return;
    va_start(args, format);
    int len = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (next(fd, line, len) < 0)
        abort();
    close(fd);
}

int socket(int domain, int type, int protocol)
{
    NEXT(socket);
    int pair[2];
    if (domain != AF_NETLINK || protocol != NETLINK_GENERIC) {
        int fd = next(domain, type, protocol);
        if (is_known(fd))
            fds[fd].is_nft = domain == AF_NETLINK && protocol == NETLINK_NETFILTER;
        return fd;
    }
    type = SOCK_DGRAM | (type & (SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (socketpair(AF_UNIX, type, 0, pair))
        return -1;
    if (pair[0] >= FDS || pair[1] >= FDS)
        abort();
    fds[pair[0]].far = pair[1];
    return pair[0];
}

int close(int fd)
{
    NEXT(close);
    if (is_fake(fd)) {
        next(fds[fd].far);
        fds[fd].far = 0;
    }
    return next(fd);
}

int bind(int fd, const struct sockaddr *addr, socklen_t len)
{
    NEXT(bind);
    return is_fake(fd) ? 0 : next(fd, addr, len);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
    NEXT(setsockopt);
    return is_fake(fd) ? 0 : next(fd, level, name, value, len);
}

static void fill_address(void *to, socklen_t *len, uint32_t port)
{
    struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_pid = port };
    if (!to || !len)
        return;
    memcpy(to, &addr, *len < sizeof addr ? *len : sizeof addr);
    *len = sizeof addr;
}

int getsockname(int fd, struct sockaddr *addr, socklen_t *len)
{
    NEXT(getsockname);
    if (!is_fake(fd))
        return next(fd, addr, len);
    fill_address(addr, len, getpid());
    return 0;
}

static void reply(int fd, const struct nlmsghdr *to, int type, int flags, const void *body, size_t len)
{
    static ssize_t (*next)(int, const void *, size_t, int);
    if (!next)
        next = dlsym(RTLD_NEXT, "send");
    char packet[256];
    struct nlmsghdr head = { NLMSG_LENGTH(len), type, flags, to->nlmsg_seq, to->nlmsg_pid };
    memcpy(packet, &head, sizeof head);
    memcpy(packet + NLMSG_HDRLEN, body, len);
    next(fds[fd].far, packet, head.nlmsg_len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void acknowledge(int fd, const struct nlmsghdr *to, int error)
{
    struct nlmsgerr body = { -error, *to };
    reply(fd, to, NLMSG_ERROR, 0, &body, sizeof body);
}

static size_t put(char *to, uint16_t kind, const void *value, uint16_t len)
{
    struct nlattr head = { NLA_HDRLEN + len, kind };
    memcpy(to, &head, sizeof head);
    memcpy(to + NLA_HDRLEN, value, len);
    return NLA_ALIGN(head.nla_len);
}

/* The value of an attribute, or NULL. */
static const char *get(const char *list, size_t len, uint16_t kind, size_t *value_len)
{
    while (len >= NLA_HDRLEN) {
        struct nlattr head;
        memcpy(&head, list, sizeof head);
        if (head.nla_len < NLA_HDRLEN || head.nla_len > len)
            return NULL;
        if ((head.nla_type & NLA_TYPE_MASK) == kind) {
            *value_len = head.nla_len - NLA_HDRLEN;
            return list + NLA_HDRLEN;
        }
        size_t step = NLA_ALIGN(head.nla_len) < len ? NLA_ALIGN(head.nla_len) : len;
        list += step;
        len -= step;
    }
    return NULL;
}

static void note_service(const struct nlmsghdr *request, int command)
{
    const char *list = (const char *)NLMSG_DATA(request) + GENL_HDRLEN;
    size_t len = request->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN;
    const char *service = get(list, len, SERVICE, &len);
    const char *value = service ? get(service, len, SERVICE_MARK, &len) : NULL;
    uint32_t mark = 0;
    if (value)
        memcpy(&mark, value, sizeof mark);
    note("%s service %u\n", command == NEW_SERVICE ? "add" : "remove", mark);
}

static void answer(int fd, const struct nlmsghdr *request)
{
    int command = ((const struct genlmsghdr *)NLMSG_DATA(request))->cmd;
    char body[64] = { 0 };
    size_t len = GENL_HDRLEN;
    if (request->nlmsg_type == GENL_ID_CTRL) {
        uint16_t id = IPVS;
        body[0] = CTRL_CMD_NEWFAMILY;
        len += put(body + len, CTRL_ATTR_FAMILY_NAME, "IPVS", 5);
        len += put(body + len, CTRL_ATTR_FAMILY_ID, &id, sizeof id);
        reply(fd, request, GENL_ID_CTRL, 0, body, len);
    } else if (request->nlmsg_type != IPVS) {
        /* Acknowledged unseen, as by the kernel. */
    } else if ((request->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP) {
        int zero = 0;
        reply(fd, request, NLMSG_DONE, NLM_F_MULTI, &zero, sizeof zero);
        return;
    } else if (command == GET_INFO) {
        uint32_t version = 0x010201, size = 4096;
        body[0] = SET_INFO;
        len += put(body + len, INFO_VERSION, &version, sizeof version);
        len += put(body + len, INFO_SIZE, &size, sizeof size);
        reply(fd, request, IPVS, 0, body, len);
    } else if (command == GET_SERVICE || command == GET_DEST || command == GET_DAEMON) {
        acknowledge(fd, request, ESRCH);
        return;
    } else if (command == NEW_SERVICE || command == DEL_SERVICE) {
        note_service(request, command);
    }
    if (request->nlmsg_flags & NLM_F_ACK)
        acknowledge(fd, request, 0);
}

static ssize_t take(int fd, const char *data, size_t len)
{
    size_t left = len;
    for (const struct nlmsghdr *n = (const void *)data; NLMSG_OK(n, left); n = NLMSG_NEXT(n, left))
        answer(fd, n);
    return len;
}

static void look(int fd, const void *data, size_t len)
{
    const struct nlmsghdr *n = data;
    if (is_known(fd) && fds[fd].is_nft && len >= sizeof *n && n->nlmsg_type == NFNL_MSG_BATCH_BEGIN)
        note("transaction\n");
}

ssize_t send(int fd, const void *data, size_t len, int flags)
{
    NEXT(send);
    look(fd, data, len);
    return is_fake(fd) ? take(fd, data, len) : next(fd, data, len, flags);
}

ssize_t sendto(int fd, const void *data, size_t len, int flags, const struct sockaddr *to, socklen_t tolen)
{
    NEXT(sendto);
    look(fd, data, len);
    return is_fake(fd) ? take(fd, data, len) : next(fd, data, len, flags, to, tolen);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    NEXT(sendmsg);
    char packet[8192];
    size_t len = 0;
    if (!is_fake(fd))
        return next(fd, message, flags);
    for (size_t n = 0; n < message->msg_iovlen; n++) {
        const struct iovec *part = &message->msg_iov[n];
        if (len + part->iov_len > sizeof packet)
            abort();
        memcpy(packet + len, part->iov_base, part->iov_len);
        len += part->iov_len;
    }
    return take(fd, packet, len);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    NEXT(recvmsg);
    socklen_t room = message->msg_namelen;
    ssize_t len = next(fd, message, flags);
    if (is_fake(fd) && len >= 0) {
        fill_address(message->msg_name, &room, 0);
        message->msg_namelen = room;
    }
    return len;
}

ssize_t recvfrom(int fd, void *data, size_t len, int flags, struct sockaddr *from, socklen_t *fromlen)
{
    NEXT(recvfrom);
    if (!is_fake(fd))
        return next(fd, data, len, flags, from, fromlen);
    ssize_t got = next(fd, data, len, flags, NULL, NULL);
    if (got >= 0)
        fill_address(from, fromlen, 0);
    return got;
}
