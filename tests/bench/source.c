/*
 * source - sends messages over SMTP as fast as they are taken, each from another sender if wanted.
 *
 * What smtp-source(1) does, but for the senders: automatic replies are remembered by sender, so contrib/bench --replies
 * needs new ones for every message. Usage: source HOST PORT SESSIONS MESSAGES SENDER RECIPIENT, where a %d in SENDER is
 * the number of the message, from FIRST on if a seventh argument gives one. Each message has a connection of its own.
 */
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BODY_LINES 60

static struct addrinfo *server;
static const char *sender_before, *sender_after, *recipient;
static int is_numbered;
static long count, first;
static atomic_long next_number;
static atomic_int failed;

/* Says TEXT (NULL: only listens) and takes one answer, of one or several lines. Its code. */
static int talk(int fd, const char *text, size_t len)
{
    char answer[4096];
    size_t have = 0;
    while (len > 0) {
        ssize_t n = write(fd, text, len);
        if (n <= 0)
            return -1;
        text += n;
        len -= (size_t)n;
    }
    for (;;) {
        ssize_t n = read(fd, answer + have, sizeof answer - 1 - have);
        if (n <= 0)
            return -1;
        have += (size_t)n;
        answer[have] = '\0';
        if (answer[have - 1] != '\n')
            continue;
        char *line = answer;
        for (char *lf = strchr(line, '\n'); lf && lf[1]; lf = strchr(line, '\n'))
            line = lf + 1;
        if (strlen(line) > 3 && line[3] == ' ')
            return atoi(line);
    }
}

static int command(int fd, const char *text)
{
    return talk(fd, text, strlen(text));
}

static int send_one(long number)
{
    char mail[512], digits[24] = "";
    static const char line[] = "The quick brown fox jumps over the lazy dog, and nobody minds.\r\n";
    char *content = malloc(sizeof line * BODY_LINES + 1024);
    int fd = socket(server->ai_family, SOCK_STREAM, 0), one = 1, code = -1;
    if (!content || fd < 0 || connect(fd, server->ai_addr, server->ai_addrlen) != 0)
        goto end;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (is_numbered)
        snprintf(digits, sizeof digits, "%ld", number);
    int at = sprintf(content,
                     "From: <%s%s%s>\r\nTo: <%s>\r\nSubject: bench\r\nDate: Mon, 02 Mar 2026 10:00:00 +0000\r\n"
                     "Message-ID: <%ld.bench@sender.example>\r\n\r\n",
                     sender_before, digits, sender_after, recipient, number);
    for (int i = 0; i < BODY_LINES; i++, at += (int)sizeof line - 1)
        memcpy(content + at, line, sizeof line);
    at += sprintf(content + at, ".\r\n");
    if (talk(fd, NULL, 0) != 220 || command(fd, "EHLO mail.sender.example\r\n") != 250)
        goto end;
    snprintf(mail, sizeof mail, "MAIL FROM:<%s%s%s>\r\n", sender_before, digits, sender_after);
    if (command(fd, mail) != 250)
        goto end;
    snprintf(mail, sizeof mail, "RCPT TO:<%s>\r\n", recipient);
    if (command(fd, mail) != 250 || command(fd, "DATA\r\n") != 354)
        goto end;
    code = talk(fd, content, (size_t)at);
    command(fd, "QUIT\r\n");
end:
    free(content);
    if (fd >= 0)
        close(fd);
    return code == 250 ? 0 : -1;
}

static void *run(void *unused)
{
    (void)unused;
    for (long number; (number = atomic_fetch_add(&next_number, 1)) < first + count;) {
        if (send_one(number) != 0)
            atomic_fetch_add(&failed, 1);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[64];
    if (argc < 7 || atoi(argv[3]) < 1 || atoi(argv[3]) > 64 || getaddrinfo(argv[1], argv[2], NULL, &server) != 0) {
        fputs("usage: source HOST PORT SESSIONS MESSAGES SENDER RECIPIENT [FIRST]\n", stderr);
        return 64;
    }
    int sessions = atoi(argv[3]);
    char *number = strstr(argv[5], "%d");
    count = atol(argv[4]);
    recipient = argv[6];
    first = argc > 7 ? atol(argv[7]) : 0;
    atomic_store(&next_number, first);
    sender_before = argv[5];
    sender_after = "";
    if (number) {
        is_numbered = 1;
        *number = '\0';
        sender_after = number + 2;
    }
    for (int i = 0; i < sessions; i++) {
        if (pthread_create(&threads[i], NULL, run, NULL) != 0)
            return 71;
    }
    for (int i = 0; i < sessions; i++)
        pthread_join(threads[i], NULL);
    if (atomic_load(&failed))
        fprintf(stderr, "%d of %ld messages were not taken\n", atomic_load(&failed), count);
    return atomic_load(&failed) ? 1 : 0;
}
