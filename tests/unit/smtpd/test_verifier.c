/* The verifier as a process, with judges that do what the message says: each accepted message ends in
 * one event, whatever becomes of those who judge it, and whoever is killed. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/event.h"
#include "lib/eventlog.h"
#include "lib/log.h"
#include "smtpd/verifier.h"

#include <cmocka.h> /* last: it has a macro test_free */

#if defined(OUTPOST_DEBUG) || defined(__SANITIZE_ADDRESS__)
#define LIMITED false
#else
#define LIMITED true
#endif

static struct site site;
static struct handover *handover;
static struct eventlog *worker_log;
static unsigned counter;

/* --- judges ----------------------------------------------------------------------------------------------- */

static bool
says(const struct verify_input *in, const char *word)
{
	return in->len >= strlen(word) && memcmp(in->message, word, strlen(word)) == 0;
}

/* What a hostile message might do to a library. */
static void
misbehave(const struct verify_input *in)
{
	if (says(in, "abort"))
		abort();
	if (says(in, "write"))
		memset((void *)(uintptr_t)in->message, 1, 1); /* it is mapped to be read only */
	while (says(in, "loop"))
		continue;
	while (says(in, "sleep"))
		poll(NULL, 0, 1000);
	while (says(in, "memory"))
		memset(xmalloc(1 << 20), 1, 1 << 20);
	if (says(in, "open"))
		(void)!open("/etc/passwd", O_RDONLY);
	if (says(in, "exit"))
		_exit(7);
}

static enum verify_step
run_ours(const struct verify_input *in, struct lookups *book, struct strbuf *json)
{
	const struct lookup *l;

	if (!says(in, "spf2"))
		misbehave(in);
	if (says(in, "long")) {
		strbuf_puts(json, "{\"a\":\"");
		for (unsigned i = 0; i < 400000; i++)
			strbuf_puts(json, "aaaaaaaa");
	}
	if (says(in, "escaped")) {
		strbuf_puts(json, "{\"a\":\"");
		for (unsigned i = 0; i < 15000; i++)
			strbuf_puts(json, "\xc3\xa9"); /* six octets for each in an event */
		strbuf_puts(json, "\"}");
		return VERIFY_DONE;
	}
	if (says(in, "lie"))
		strbuf_puts(json, "pass");
	if (says(in, "again")) {
		lookup_get(book, "localhost", 1);
		return VERIFY_NEED;
	}
	if (json->len > 0)
		return VERIFY_DONE;
	l = lookup_get(book, says(in, "slow") ? "slow.example" : "localhost", 1);
	if (l->status == LOOKUP_WANTED)
		return VERIFY_NEED;
	strbuf_printf(json, "{\"helo\":\"%s\",\"us\":\"%s\",\"len\":%zu,\"status\":%d,\"n\":%zu}",
	    in->helo, in->us, in->len, (int)l->status, l->n);
	return VERIFY_DONE;
}

static enum verify_step
run_spf2(const struct verify_input *in, struct lookups *book, struct strbuf *json)
{
	struct verify_input rest = *in;

	(void)book;
	if (says(in, "spf2 ")) {
		rest.message += 5;
		rest.len -= 5;
		misbehave(&rest);
		strbuf_puts(json, says(&rest, "lie") ? "{\"result\":\"maybe\"}" : "{\"result\":1}");
	} else {
		strbuf_puts(json, "{\"result\":\"softfail\"}");
	}
	return VERIFY_DONE;
}

static const struct judge judges[POOL_JUDGES] = { { "ours", run_ours }, { "libspf2", run_spf2 } };

/* --- the verifier ------------------------------------------------------------------------------------------ */

static int
confine(const struct site *s)
{
	(void)s;
	return 0;
}

static int64_t began;

static pid_t
launch(void)
{
	static const int taken[] = { SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGSYS };
	pid_t parent = getpid(), pid;
	sigset_t set, before;

	/* As in a worker. */
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, &before);
	pid = fork();
	if (pid != 0) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		return pid;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
		signal(taken[i], SIG_DFL); /* cmocka's */
	if (getppid() != parent)
		_exit(1);
	const struct verifier_config c = { .site = &site,
		.handover = handover,
		.judges = judges,
		.confine = confine,
		.began = began,
		.smtpd = "smtpd" };
	exit(verifier_run(&c)); /* a sanitizer looks for leaks */
}

static int
stop(pid_t pid, int number)
{
	int status;

	kill(pid, number);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* --- a worker ---------------------------------------------------------------------------------------------- */

static struct event_line line;

/* Accepts a message as smtpd does.  Its digest, which names it here. */
static const char *
mail(const char *body)
{
	static char digest[16];
	struct verify_facts f;
	struct body b;
	const char *why;

	memset(&f, 0, sizeof f);
	snprintf(digest, sizeof digest, "m%u", ++counter);
	strcpy(f.token, "abcdefghijklmnop");
	strcpy(f.test, "dual");
	snprintf(f.conn, sizeof f.conn, "0-%llx-1", (unsigned long long)began);
	strcpy(f.digest, digest);
	strcpy(f.client, "192.0.2.1");
	strcpy(f.helo, "mta.example");
	strcpy(f.from, "a@sender.example");
	strcpy(f.us, "mx.example");
	f.t = clock_now();
	body_init(&b, handover);
	body_add(&b, body, strlen(body));
	why = handover_send(&b, &f);
	for (int skipped = why != NULL; skipped >= 0; skipped--) {
		event_begin(&line, skipped ? EV_VERIFY_SKIPPED : EV_SMTP_MESSAGE,
		    eventlog_origin(worker_log), f.t);
		event_str(&line, EK_TOKEN, f.token);
		event_str(&line, EK_TEST, f.test);
		event_str(&line, EK_CONN, f.conn);
		event_str(&line, EK_DIGEST, f.digest);
		if (skipped)
			event_str(&line, EK_REASON, why);
		else
			event_bool(&line, EK_HANDED, why == NULL);
		event_end(&line);
		assert_true(eventlog_append(worker_log, line.buf, line.len) > 0);
	}
	assert_int_equal(eventlog_write(worker_log), 0);
	return digest;
}

/* --- the log ------------------------------------------------------------------------------------------------ */

static char log_dir[128];

/* How often events of that kind tell of the message (NULL: of any), and the last of them. */
static unsigned
seen(struct event *last, enum event_kind kind, const char *digest)
{
	DIR *d = opendir(log_dir);
	struct dirent *e;
	unsigned n = 0;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		char path[400], *text = NULL, err[64];
		size_t cap = 0;
		ssize_t len;
		FILE *f;

		snprintf(path, sizeof path, "%s/%s", log_dir, e->d_name);
		if (e->d_name[0] == '.' || (f = fopen(path, "r")) == NULL)
			continue;
		while ((len = getline(&text, &cap, f)) > 0) {
			struct event ev;

			if (text[len - 1] != '\n')
				continue;
			assert_int_equal(
			    event_decode(&ev, text, (size_t)len - 1, err, sizeof err), 0);
			if (ev.kind != kind ||
			    (digest != NULL && (!ev.v[EK_DIGEST].set ||
						   strcmp(ev.v[EK_DIGEST].text, digest) != 0))) {
				event_clear(&ev);
				continue;
			}
			if (n++ > 0)
				event_clear(last);
			*last = ev;
		}
		free(text);
		fclose(f);
	}
	closedir(d);
	return n;
}

static unsigned
count(enum event_kind kind, const char *digest)
{
	struct event e;
	unsigned n = seen(&e, kind, digest);

	if (n > 0)
		event_clear(&e);
	return n;
}

static const char *
text_of(const struct event *e, enum event_key key)
{
	return e->v[key].set ? e->v[key].text : "-";
}

static void
await(struct event *e, enum event_kind kind, const char *digest)
{
	for (unsigned i = 0; i < 1200; i++) {
		if (seen(e, kind, digest) > 0)
			return;
		poll(NULL, 0, 50);
	}
	fail_msg("%s of %s does not come", event_kind(kind)->name, digest);
}

/* A verifier that has begun. */
static pid_t
start(void)
{
	unsigned before = count(EV_VERIFY_AUDIT, NULL);
	pid_t pid = launch();

	for (unsigned i = 0; i < 1200; i++) {
		if (count(EV_VERIFY_AUDIT, NULL) > before)
			return pid;
		poll(NULL, 0, 50);
	}
	fail_msg("it does not begin");
	return -1;
}

static unsigned
ends(const char *digest)
{
	return count(EV_VERIFY_RESULT, digest) + count(EV_VERIFY_CRASHED, digest) +
	       count(EV_VERIFY_SKIPPED, digest) + count(EV_VERIFY_LOST, digest);
}

/* --- set up ------------------------------------------------------------------------------------------------- */

static int
setup(void **state)
{
	static const struct handover_limits l = {
		.count = 20, .octets = 1 << 20, .message = 9000, .bodies = 10
	};
	struct eventlog_config lc = { .node = "a", .daemon = "smtpd" };
	FILE *anchor;

	(void)state;
	log_quiet(true);
	snprintf(site.dir, sizeof site.dir, "/tmp/verifier-test-XXXXXX");
	if (mkdtemp(site.dir) == NULL)
		return -1;
	snprintf(log_dir, sizeof log_dir, "%.100s/log", site.dir);
	if (mkdir(log_dir, 0700) == -1)
		return -1;
	strcpy(site.conf.node, "a");
	strcpy(site.conf.verify_resolver, "127.0.0.1@9");
	snprintf(
	    site.conf.verify_anchor, sizeof site.conf.verify_anchor, "%.100s/anchor", site.dir);
	if ((anchor = fopen(site.conf.verify_anchor, "w")) == NULL)
		return -1;
	fputs(". IN DS 20326 8 2 "
	      "E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n",
	    anchor);
	fclose(anchor);
	site.conf.verify_children = 2;
	site.conf.verify_child_memory = 512 << 20;
	site.conf.verify_child_time = 3 * CLOCK_SECOND; /* a busy machine is no crash */
	site.conf.verify_time = 3 * CLOCK_SECOND;
	site.conf.sandbox = 1;
	site.conf.segment_reserve = 4096;
	handover = handover_new(&l);
	began = clock_now();
	lc.dir = log_dir;
	worker_log = eventlog_open(&lc);
	return handover == NULL || worker_log == NULL;
}

static int
teardown(void **state)
{
	char command[160];

	(void)state;
	eventlog_close(worker_log);
	handover_free(handover);
	snprintf(command, sizeof command, "rm -rf '%.120s'", site.dir);
	return system(command);
}

static void
messages_are_judged(void **state)
{
	pid_t pid = start();
	const char *m;
	struct event e;

	(void)state;
	m = mail("hello");
	await(&e, EV_VERIFY_RESULT, m);
	assert_string_equal(text_of(&e, EK_RESULTS),
	    "{\"helo\":\"mta.example\",\"us\":\"mx.example\",\"len\":5,\"status\":1,\"n\":1}");
	assert_string_equal(text_of(&e, EK_LIBSPF2), "softfail");
	assert_string_equal(text_of(&e, EK_TOKEN), "abcdefghijklmnop");
	assert_string_equal(text_of(&e, EK_PEER), "192.0.2.1");
	assert_string_equal(text_of(&e, EK_FROM), "a@sender.example");
	assert_string_equal(text_of(&e, EK_REASON), "-");
	assert_int_equal(e.v[EK_SIZE].num, 5);
	event_clear(&e);
	m = mail("");
	await(&e, EV_VERIFY_RESULT, m);
	event_clear(&e);
	assert_int_equal(stop(pid, SIGTERM), 0);
	assert_int_equal(handover_count(handover), 0);
	assert_int_equal(handover_octets(handover), 0);
}

static void
crashed(const char *body, const char *why)
{
	const char *m = mail(body);
	struct event e;

	await(&e, EV_VERIFY_CRASHED, m);
	if (why != NULL)
		assert_string_equal(text_of(&e, EK_REASON), why);
	/* The other one's is there all the same. */
	assert_string_equal(text_of(&e, EK_LIBSPF2), "softfail");
	event_clear(&e);
	assert_int_equal(ends(m), 1);
}

static void
other_crashed(const char *body, const char *why)
{
	const char *m = mail(body);
	struct event e;

	await(&e, EV_VERIFY_RESULT, m);
	assert_string_equal(text_of(&e, EK_LIBSPF2), "crashed");
	if (why != NULL)
		assert_string_equal(text_of(&e, EK_REASON), why);
	event_clear(&e);
	assert_int_equal(ends(m), 1);
}

static void
judges_may_crash(void **state)
{
	/* A sanitizer has its own ways to end. */
	pid_t pid;
	const char *m;
	struct event e;

	(void)state;
	/* Who waits for the time limit needs one that is short, all others one that a slow machine keeps. */
	pid = start();
	crashed("loop", "time limit");
	if (!LIMITED)
		crashed("sleep", "time limit");
	other_crashed("spf2 loop", "libspf2: time limit");
	assert_int_equal(stop(pid, SIGTERM), 0);
	site.conf.verify_child_time = 60 * CLOCK_SECOND;
	pid = start();
	crashed("abort", LIMITED ? "killed by signal 6" : NULL);
	crashed("write", LIMITED ? "killed by signal 11" : NULL);
	if (LIMITED) {
		crashed("sleep", "killed: a system call that its sandbox does not allow");
		crashed("memory", "memory limit");
		crashed("open", "killed: a system call that its sandbox does not allow");
	}
	crashed("exit", "exit code 7");
	crashed("lie", "results that are no JSON object");
	crashed("long", "an answer without end");
	crashed("escaped", "results that are too long");
	crashed("again", "asked nothing new");
	other_crashed("spf2 abort", LIMITED ? "libspf2: killed by signal 6" : NULL);
	other_crashed("spf2 exit", "libspf2: exit code 7");
	other_crashed("spf2 lie", "libspf2: a result that is none");
	other_crashed("spf2 number", "libspf2: a result that is none");
	m = mail("after all that");
	await(&e, EV_VERIFY_RESULT, m);
	event_clear(&e);
	assert_int_equal(stop(pid, SIGTERM), 0);
	site.conf.verify_child_time = 3 * CLOCK_SECOND;
}

/* No answer within verify-time: it has failed, and the message is judged with that. */
static void
lookups_have_an_end(void **state)
{
	pid_t pid = start();
	const char *m = mail("slow");
	struct event e;

	(void)state;
	await(&e, EV_VERIFY_RESULT, m);
	assert_non_null(strstr(text_of(&e, EK_RESULTS), "\"status\":4"));
	event_clear(&e);
	assert_int_equal(stop(pid, SIGTERM), 0);
}

/* Whoever is killed, and whenever: one end for each. */
static void
each_has_one_end(void **state)
{
	unsigned first = counter + 1;
	char digest[16];
	struct event e;
	pid_t pid = 0;

	(void)state;
	for (unsigned round = 0; round < 12; round++) {
		if (pid == 0)
			pid = launch();
		for (unsigned i = 0; i < 5; i++)
			mail(i % 2 == 0 ? "hello" : "spf2 abort");
		poll(NULL, 0, (int)(round * 7));
		stop(pid, SIGKILL);
		mail("while it is away");
		pid = 0;
	}
	pid = start();
	mail("the last");
	for (unsigned i = first; i <= counter; i++) {
		snprintf(digest, sizeof digest, "m%u", i);
		for (unsigned tries = 0; tries < 1200 && ends(digest) == 0; tries++)
			poll(NULL, 0, 50);
		if (ends(digest) != 1)
			fail_msg("%s has %u ends", digest, ends(digest));
	}
	assert_true(seen(&e, EV_VERIFY_AUDIT, NULL) > 0);
	event_clear(&e);
	assert_int_equal(stop(pid, SIGTERM), 0);
	assert_int_equal(handover_count(handover), 0);
}

/* The pid of the nursery: the only child. */
static pid_t
child_of(pid_t pid)
{
	char path[64];
	int child = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
	for (unsigned i = 0; i < 200 && child == 0; i++) {
		f = fopen(path, "r");
		if (f == NULL || fscanf(f, "%d", &child) != 1)
			poll(NULL, 0, 50);
		if (f != NULL)
			fclose(f);
	}
	return child;
}

static void
the_nursery_is_killed(void **state)
{
	pid_t pid, nursery;
	const char *m;
	struct event e;
	int status;

	(void)state;
	/* It is still being judged when the nursery is killed, however slow this machine is. */
	site.conf.verify_child_time = 60 * CLOCK_SECOND;
	pid = start();
	m = mail("loop");
	nursery = child_of(pid);
	assert_true(nursery > 0);
	child_of(nursery);
	kill(nursery, SIGKILL);
	/* It ends, to be started again, and says what it lost. */
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EXIT_FAIL_ON);
	site.conf.verify_child_time = 3 * CLOCK_SECOND;
	pid = start();
	await(&e, EV_VERIFY_LOST, m);
	event_clear(&e);
	assert_int_equal(ends(m), 1);
	assert_int_equal(stop(pid, SIGTERM), 0);
}

static void
a_full_queue(void **state)
{
	unsigned first = counter + 1;
	struct event e;
	char digest[16];
	pid_t pid;

	(void)state;
	stop(start(), SIGKILL);
	for (unsigned i = 0; i < 21; i++)
		mail("nobody takes it");
	snprintf(digest, sizeof digest, "m%u", counter);
	assert_int_equal(seen(&e, EV_VERIFY_SKIPPED, digest), 1);
	assert_string_equal(text_of(&e, EK_REASON), "verify-queue is full");
	event_clear(&e);
	pid = start();
	for (unsigned i = first; i <= counter; i++) {
		snprintf(digest, sizeof digest, "m%u", i);
		await(&e, i == counter ? EV_VERIFY_SKIPPED : EV_VERIFY_RESULT, digest);
		event_clear(&e);
		assert_int_equal(ends(digest), 1);
	}
	assert_int_equal(stop(pid, SIGTERM), 0);
}

/* What it has is judged before it stops, if that does not take long. */
static void
it_stops_when_done(void **state)
{
	pid_t pid = start();
	char quick[16], slow[16];
	struct event e;

	(void)state;
	strcpy(quick, mail("hello"));
	assert_int_equal(stop(pid, SIGTERM), 0);
	assert_int_equal(count(EV_VERIFY_RESULT, quick), 1);
	site.conf.verify_time = 30 * CLOCK_SECOND;
	pid = start();
	strcpy(slow, mail("slow"));
	assert_int_equal(stop(pid, SIGTERM), 0);
	await(&e, EV_VERIFY_LOST, slow);
	event_clear(&e);
	site.conf.verify_time = 3 * CLOCK_SECOND;
	assert_int_equal(ends(slow), 1);
}

/* After SIGHUP it serves its workers until the last has ended. */
static void
it_drains(void **state)
{
	struct handover_limits l = {
		.count = 20, .octets = 1 << 20, .message = 9000, .bodies = 10
	};
	struct handover *kept = handover, *mine = handover_new(&l);
	pid_t pid;
	char m[16];
	int status;

	(void)state;
	handover = mine;
	pid = start();
	kill(pid, SIGHUP);
	strcpy(m, mail("hello"));
	handover = kept;
	handover_free(mine); /* as the parent and the last worker do */
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(count(EV_VERIFY_RESULT, m), 1);
}

static void
nothing_to_judge(void **state)
{
	struct handover *kept = handover;
	pid_t pid;

	(void)state;
	handover = NULL;
	pid = launch();
	assert_int_equal(stop(pid, SIGTERM), 0);
	handover = kept;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_are_judged),
		cmocka_unit_test(judges_may_crash),
		cmocka_unit_test(lookups_have_an_end),
		cmocka_unit_test(each_has_one_end),
		cmocka_unit_test(the_nursery_is_killed),
		cmocka_unit_test(a_full_queue),
		cmocka_unit_test(it_stops_when_done),
		cmocka_unit_test(it_drains),
		cmocka_unit_test(nothing_to_judge),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
