/* The servers that other tests stand on: they answer, they can be killed and come back, and
 * nothing of them stays. */
#include "tests/support/probe.h"
#include "tests/support/process.h"
#include "tests/support/redis_cluster.h"
#include "tests/support/scratch.h"
#include "tests/support/server.h"
#include "tests/support/wait.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct server *shared_redis; /* of the suite's process */

static void start_shared(void)
{
    static const char *const args[] = {"--appendonly", "yes", "--appendfsync", "always", NULL};

    shared_redis = redis_start(args);
}

static void stop_shared(void)
{
    server_stop(shared_redis);
}

/* Send a request and give what comes back at once; the caller compares bytes. */
static ssize_t exchange(int port, const void *request, size_t bytes, char *reply, size_t room)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ssize_t got;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(send(fd, request, bytes, 0), (ssize_t)bytes);
    got = recv(fd, reply, room - 1, 0);
    close(fd);
    reply[got > 0 ? got : 0] = '\0';
    return got;
}

static void ask_redis(struct server *redis, const char *command, const char *expected)
{
    char reply[64];

    exchange(server_port(redis, 0), command, strlen(command), reply, sizeof reply);
    ck_assert_str_eq(reply, expected);
}

static bool pid_is_gone(pid_t pid)
{
    return kill(pid, 0) != 0 && errno == ESRCH;
}

/* A process that the kernel has just been told to kill needs a moment. */
static bool pid_goes(pid_t pid)
{
    int64_t end_ms = wait_now_ms() + 10000;

    while (!pid_is_gone(pid) && wait_now_ms() < end_ms)
        wait_pause_ms(5);
    return pid_is_gone(pid);
}

static bool folder_goes(const char *dir)
{
    int64_t end_ms = wait_now_ms() + 10000;

    while (access(dir, F_OK) == 0 && wait_now_ms() < end_ms)
        wait_pause_ms(5);
    return access(dir, F_OK) != 0;
}

START_TEST(redis_answers_ping)
{
    char address[32];

    snprintf(address, sizeof address, "127.0.0.1:%d", server_port(shared_redis, 0));
    ck_assert_str_eq(server_address(shared_redis), address);
    ask_redis(shared_redis, "PING\r\n", "+PONG\r\n");
    ck_assert(server_answers(shared_redis, 0));
}
END_TEST

START_TEST(redis_refuses_to_evict)
{
    ask_redis(shared_redis, "CONFIG GET maxmemory-policy\r\n",
              "*2\r\n$16\r\nmaxmemory-policy\r\n$10\r\nnoeviction\r\n");
}
END_TEST

START_TEST(redis_killed_by_a_forked_test_comes_back_with_its_data)
{
    pid_t before = server_pid(shared_redis, 0);

    ask_redis(shared_redis, "SET colour blue\r\n", "+OK\r\n");
    server_kill(shared_redis, 0, SIGKILL);
    ck_assert(pid_is_gone(before));
    ck_assert_int_eq(server_pid(shared_redis, 0), 0);
    ck_assert(!server_answers(shared_redis, 0));
    server_restart(shared_redis, 0);
    ck_assert_int_ne(server_pid(shared_redis, 0), before);
    ask_redis(shared_redis, "GET colour\r\n", "$4\r\nblue\r\n");
}
END_TEST

/* Runs after the one above, in another process. */
START_TEST(redis_outlives_the_test_that_restarted_it)
{
    ask_redis(shared_redis, "GET colour\r\n", "$4\r\nblue\r\n");
}
END_TEST

START_TEST(redis_stands_still_while_stopped)
{
    server_kill(shared_redis, 0, SIGSTOP);
    ck_assert(!server_answers(shared_redis, 0));
    server_kill(shared_redis, 0, SIGCONT);
    ck_assert(server_answers(shared_redis, 0));
}
END_TEST

START_TEST(stop_leaves_neither_process_nor_folder)
{
    struct server *redis = redis_start(NULL);
    pid_t pid = server_pid(redis, 0);
    char *dir = strdup(server_dir(redis, 0));

    ck_assert_int_gt(pid, 0);
    ck_assert_int_eq(access(dir, F_OK), 0);
    server_kill(redis, 0, SIGSTOP); /* one that cannot react goes as well */
    server_stop(redis);
    ck_assert(pid_is_gone(pid));
    ck_assert_int_ne(access(dir, F_OK), 0);
    free(dir);
    server_stop(NULL);
}
END_TEST

START_TEST(two_servers_have_different_ports)
{
    struct server *first = redis_start(NULL);
    struct server *second = redis_start(NULL);

    ck_assert_int_ne(server_port(first, 0), server_port(second, 0));
    server_stop(first);
    ask_redis(second, "PING\r\n", "+PONG\r\n");
    server_stop(second);
}
END_TEST

/* What a killed program is asked to tell before: "pid folder". */
static void start_redis_and_tell(int fd)
{
    struct server *redis = redis_start(NULL);

    dprintf(fd, "%ld %s\n", (long)server_pid(redis, 0), server_dir(redis, 0));
    pause();
}

START_TEST(program_killed_leaves_neither_process_nor_folder)
{
    char dir[256] = "";
    long pid = 0;
    int told[2];
    FILE *from;
    pid_t program;

    ck_assert_int_eq(pipe(told), 0);
    program = fork();
    if (program == 0)
        start_redis_and_tell(told[1]);
    close(told[1]);
    from = fdopen(told[0], "r");
    ck_assert_int_eq(fscanf(from, "%ld %255s", &pid, dir), 2);
    ck_assert(!pid_is_gone((pid_t)pid));
    kill(program, SIGKILL);
    waitpid(program, NULL, 0);
    ck_assert(pid_goes((pid_t)pid));
    ck_assert(folder_goes(dir));
    fclose(from);
}
END_TEST

START_TEST(broken_server_shows_its_log)
{
    static const char *const args[] = {"--no-such-setting", "1", NULL};
    const char *said = scratch_path(scratch_dir(), "said");
    pid_t program = fork();
    int status = 0;
    char *text;

    if (program == 0) {
        if (freopen(said, "w", stderr) != NULL)
            redis_start(args);
        _exit(0);
    }
    waitpid(program, &status, 0);
    ck_assert_int_eq(WEXITSTATUS(status), 1);
    text = scratch_read(said, NULL);
    ck_assert_ptr_nonnull(strstr(text, "redis node 0"));
    ck_assert_ptr_nonnull(strstr(text, "no-such-setting"));
    free(text);
}
END_TEST

START_TEST(folder_of_a_dead_program_is_swept)
{
    char stale[128];
    pid_t dead = fork();

    if (dead == 0)
        _exit(0);
    waitpid(dead, NULL, 0);
    if (fork() == 0) { /* a new program: it has not swept yet */
        snprintf(stale, sizeof stale, "/tmp/attent-test-%ld-abc123", (long)dead);
        setenv("TMPDIR", "/tmp", 1);
        scratch_write(stale, "deep/file", "x");
        scratch_sweep();
        _exit(access(stale, F_OK) == 0 ? 1 : 0);
    }
    wait(&(int){0});
    snprintf(stale, sizeof stale, "/tmp/attent-test-%ld-abc123", (long)dead);
    ck_assert_int_ne(access(stale, F_OK), 0);
}
END_TEST

START_TEST(process_tells_output_and_end)
{
    static const char *const argv[] = {"sh", "-c", "echo $WORD; echo bad >&2; sleep 30", NULL};
    static const char *const env[] = {"WORD=good", NULL};
    struct process *process = process_start(argv, env);

    ck_assert(process_wait_output(process, "good\n", 5000));
    ck_assert(process_wait_output(process, "bad\n", 5000));
    ck_assert(!process_wait_output(process, "never", 20));
    ck_assert_str_eq(process_stdout(process), "good\n");
    ck_assert_str_eq(process_stderr(process), "bad\n");
    ck_assert_int_eq(process_wait(process, 10), PROCESS_RUNNING);
    process_kill(process, SIGTERM);
    ck_assert_int_eq(process_wait(process, 5000), 128 + SIGTERM);
    process_free(process);
}
END_TEST

START_TEST(process_that_cannot_run_says_so)
{
    static const char *const argv[] = {"/no/such/program", NULL};
    struct process *process = process_start(argv, NULL);

    ck_assert(!process_wait_output(process, "never", 5000));
    ck_assert_int_eq(process_wait(process, 5000), 127);
    ck_assert_ptr_nonnull(strstr(process_stderr(process), "/no/such/program"));
    process_free(process);
}
END_TEST

START_TEST(kafka_answers_api_versions)
{
    static const unsigned char request[] = {0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 7, 0xff, 0xff};
    struct server *kafka = kafka_start(1);
    pid_t pid = server_pid(kafka, 0);
    char *dir = strdup(server_dir(kafka, 0));
    char reply[4096];

    ck_assert_int_gt(exchange(server_port(kafka, 0), request, sizeof request, reply, sizeof reply),
                     10);
    ck_assert_mem_eq(reply + 4, "\0\0\0\7\0\0", 6); /* our correlation id, no error */
    server_stop(kafka);
    ck_assert(pid_is_gone(pid));
    ck_assert_int_ne(access(dir, F_OK), 0);
    free(dir);
}
END_TEST

START_TEST(killed_broker_of_three_comes_back)
{
    struct server *kafka = kafka_start(3);

    ck_assert_int_eq(server_count(kafka), 3);
    for (int i = 0; i < 3; i++)
        ck_assert_uint_eq(probe_kafka(server_port(kafka, i)), 0xe); /* all list 1, 2 and 3 */
    server_kill(kafka, 1, SIGKILL);
    ck_assert(!server_answers(kafka, 1));
    ck_assert(server_answers(kafka, 0));
    server_restart(kafka, 1);
    ck_assert(server_answers(kafka, 1));
    server_kill(kafka, 2, SIGTERM);
    ck_assert_int_eq(server_pid(kafka, 2), 0);
    server_stop(kafka);
}
END_TEST

/* A slot is moved with a key in it, its primary is killed, and the replica has both. */
START_TEST(redis_cluster_moves_a_slot_and_fails_over)
{
    struct server *cluster = redis_cluster_start(NULL);
    char answer[256];

    ck_assert_int_eq(redis_cluster_primary(cluster, 5000), 0);
    ck_assert_int_eq(redis_cluster_primary(cluster, 15495), 2); /* that of "b{a}" */
    probe_redis_ask(server_port(cluster, 2), "SET b{a} there", answer, sizeof answer);
    ck_assert_str_eq(answer, "+OK\r\n");
    redis_cluster_move_begin(cluster, 15495, 2, 1);
    ck_assert_int_eq(redis_cluster_move_keys(cluster, 15495, 2, 1, 10), 1);
    redis_cluster_move_end(cluster, 15495, 1);
    ck_assert_int_eq(redis_cluster_primary(cluster, 15495), 1);
    probe_redis_ask(server_port(cluster, 1), "WAIT 1 5000", answer, sizeof answer);
    server_kill(cluster, 1, SIGKILL);
    while (redis_cluster_primary(cluster, 15495) != 4)
        wait_pause_ms(20);
    redis_cluster_wait(cluster);
    probe_redis_ask(server_port(cluster, 4), "GET b{a}", answer, sizeof answer);
    ck_assert_str_eq(answer, "$5\r\nthere\r\n");
    server_restart(cluster, 1);
    redis_cluster_wait(cluster);
    ck_assert_int_eq(redis_cluster_primary(cluster, 15495), 4);
    server_stop(cluster);
}
END_TEST

static TCase *redis_tests(void)
{
    TCase *tcase = tcase_create("redis");

    tcase_set_timeout(tcase, 60);
    tcase_add_unchecked_fixture(tcase, start_shared, stop_shared);
    tcase_add_test(tcase, redis_answers_ping);
    tcase_add_test(tcase, redis_refuses_to_evict);
    tcase_add_test(tcase, redis_killed_by_a_forked_test_comes_back_with_its_data);
    tcase_add_test(tcase, redis_outlives_the_test_that_restarted_it);
    tcase_add_test(tcase, redis_stands_still_while_stopped);
    tcase_add_test(tcase, redis_cluster_moves_a_slot_and_fails_over);
    return tcase;
}

static TCase *end_tests(void)
{
    TCase *tcase = tcase_create("end");

    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, stop_leaves_neither_process_nor_folder);
    tcase_add_test(tcase, two_servers_have_different_ports);
    tcase_add_test(tcase, program_killed_leaves_neither_process_nor_folder);
    tcase_add_test(tcase, broken_server_shows_its_log);
    tcase_add_test(tcase, folder_of_a_dead_program_is_swept);
    tcase_add_test(tcase, process_tells_output_and_end);
    tcase_add_test(tcase, process_that_cannot_run_says_so);
    return tcase;
}

static TCase *kafka_tests(void)
{
    TCase *tcase = tcase_create("kafka");

    tcase_set_timeout(tcase, 300);
    tcase_add_test(tcase, kafka_answers_api_versions);
    tcase_add_test(tcase, killed_broker_of_three_comes_back);
    return tcase;
}

int main(void)
{
    Suite *suite = suite_create("servers");
    SRunner *runner;
    int failed;

    suite_add_tcase(suite, redis_tests());
    suite_add_tcase(suite, end_tests());
    suite_add_tcase(suite, kafka_tests());
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
