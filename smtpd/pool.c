/* pool.c - see pool.h. */
#include "smtpd/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/queue.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/json.h"
#include "smtpd/judge_wire.h"
#include "smtpd/nursery.h"

#define ROUNDS_MAX 64
#define KILL_AGAIN (CLOCK_SECOND / 10) /* after an order that did not go through */
#define READ_SIZE  16384
#define WHY_MAX    128

enum task_state { TASK_IN_LINE, TASK_JUDGED, TASK_ASKING, TASK_ENDED };

struct job;
struct task {
	struct job *job;
	enum pool_judge judge;
	enum task_state state;
	struct lookups *book;
	struct resolve_job *asking;
	unsigned rounds;
	/* while it is judged */
	uint64_t id;
	int answer_fd;
	struct event *readable, *timer;
	struct strbuf answer;
	bool eof, exited, slow, endless;
	int status;
	TAILQ_ENTRY(task) link; /* in line, or judged */
};
TAILQ_HEAD(tasks, task);
struct job {
	struct pool *pool;
	struct verify_facts facts;
	int message;
	int64_t began;
	struct event *deadline;
	bool late;
	struct task task[POOL_JUDGES];
	struct strbuf results;
	char opinion[16], crash[WHY_MAX];
	TAILQ_ENTRY(job) link;
};
struct pool {
	struct pool_config config;
	TAILQ_HEAD(, job) jobs;
	struct tasks line, judged;
	unsigned n_judged;
	size_t n;
	uint64_t ids;
	struct event *pump;
};

static const char *const opinions[] = { "pass", "fail", "softfail", "neutral", "none", "temperror",
	"permerror" };

/* Nothing ends or begins but in the pump, so that no call goes deeper and deeper. */
static void
wake(struct pool *p)
{
	event_active(p->pump, EV_TIMEOUT, 0);
}

static void
after(struct event *timer, int64_t us)
{
	const struct timeval tv = clock_timeval(us);

	evtimer_add(timer, &tv);
}

/* --- jobs ----------------------------------------------------------------------------------------------- */

static void
put_in_line(struct task *t)
{
	t->state = TASK_IN_LINE;
	TAILQ_INSERT_TAIL(&t->job->pool->line, t, link);
	wake(t->job->pool);
}

static void
task_end(struct task *t)
{
	t->state = TASK_ENDED;
	lookups_free(t->book);
	t->book = NULL;
	strbuf_clear(&t->answer);
	wake(t->job->pool);
}

static void
task_crashed(struct task *t, const char *why)
{
	struct job *j = t->job;

	/* Our own counts for more. */
	if (t->judge == JUDGE_OURS)
		snprintf(j->crash, sizeof j->crash, "%s", why);
	else if (j->crash[0] == '\0')
		snprintf(j->crash, sizeof j->crash, "libspf2: %s", why);
	if (t->judge == JUDGE_LIBSPF2)
		snprintf(j->opinion, sizeof j->opinion, "crashed");
	task_end(t);
}

static void
fail_wanted(struct lookups *book)
{
	const struct lookup *l;
	size_t iter = 0;

	while ((l = lookup_wanted(book, &iter)) != NULL)
		lookup_put(book, l->name, l->type, LOOKUP_FAILED, false,
		    "no answer within verify-time", NULL, 0);
}

static void
on_answers(void *arg)
{
	struct task *t = arg;

	t->asking = NULL;
	put_in_line(t);
}

static void
ask(struct task *t)
{
	struct job *j = t->job;

	if (j->late) {
		fail_wanted(t->book);
		put_in_line(t);
		return;
	}
	t->state = TASK_ASKING;
	t->asking = resolve_start(j->pool->config.resolve, t->book, on_answers, t);
	if (t->asking == NULL)
		task_crashed(t, "no lookup can be made");
}

/* --- children ------------------------------------------------------------------------------------------- */

static void
on_slow(evutil_socket_t fd, short what, void *arg)
{
	struct task *t = arg;

	(void)fd;
	(void)what;
	t->slow = true;
	if (nursery_kill(t->job->pool->config.nursery, t->id) == -1)
		after(t->timer, KILL_AGAIN);
}

static void
answer_close(struct task *t)
{
	event_free(t->readable);
	t->readable = NULL;
	close(t->answer_fd);
	t->answer_fd = -1;
	t->eof = true;
	wake(t->job->pool);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct task *t = arg;
	char buf[READ_SIZE];
	ssize_t n = read(fd, buf, sizeof buf);

	(void)what;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0 && t->answer.len + (size_t)n <= JUDGE_ANSWER_MAX) {
		strbuf_add(&t->answer, buf, (size_t)n);
		return;
	}
	if (n > 0) {
		t->endless = true;
		nursery_kill(t->job->pool->config.nursery, t->id);
	}
	answer_close(t);
}

/* A file of memory with the request; -1: none. */
static int
request_file(const struct task *t)
{
	const struct verify_facts *f = &t->job->facts;
	const struct verify_input in = { .client = f->client,
		.helo = f->helo,
		.from = f->from,
		.us = f->us,
		.now = f->t / CLOCK_SECOND };
	struct strbuf b = { 0 };
	int fd = memfd_create("request", MFD_CLOEXEC);
	size_t at = 0;

	judge_put_request(&b, &in, t->book);
	while (fd != -1 && at < b.len) {
		ssize_t n = write(fd, b.s + at, b.len - at);

		if (n < 0 && errno != EINTR) {
			close(fd);
			fd = -1;
		}
		at += n > 0 ? (size_t)n : 0;
	}
	strbuf_clear(&b);
	return fd;
}

static int
order_child(struct task *t)
{
	struct pool *p = t->job->pool;
	int request = request_file(t), answer[2] = { -1, -1 }, rc = -1;

	if (request != -1 && pipe2(answer, O_CLOEXEC) == 0 &&
	    fcntl(answer[0], F_SETFL, O_NONBLOCK) == 0)
		rc = nursery_fork(
		    p->config.nursery, t->id, t->judge, t->job->message, request, answer[1]);
	if (request != -1)
		close(request);
	if (answer[1] != -1)
		close(answer[1]);
	if (rc == -1 && answer[0] != -1)
		close(answer[0]);
	t->answer_fd = rc == 0 ? answer[0] : -1;
	return rc;
}

static void
judge_begin(struct task *t)
{
	struct pool *p = t->job->pool;

	t->id = ++p->ids;
	t->eof = t->exited = t->slow = t->endless = false;
	strbuf_reset(&t->answer);
	if (order_child(t) == -1) {
		task_crashed(t, "no process can be made");
		return;
	}
	t->readable = event_new(p->config.base, t->answer_fd, EV_READ | EV_PERSIST, on_readable, t);
	event_add(t->readable, NULL);
	after(t->timer, p->config.child_us);
	t->state = TASK_JUDGED;
	TAILQ_INSERT_TAIL(&p->judged, t, link);
	p->n_judged++;
}

static bool
is_opinion(const char *word)
{
	for (size_t i = 0; i < sizeof opinions / sizeof *opinions; i++)
		if (strcmp(word, opinions[i]) == 0)
			return true;
	return false;
}

static void
take_result(struct task *t, const char *json, size_t len)
{
	struct json_doc *doc;
	const char *word;
	char err[64];

	if (t->judge == JUDGE_OURS) {
		strbuf_add(&t->job->results, json, len);
		task_end(t);
		return;
	}
	doc = json_parse(json, len, err, sizeof err);
	word = doc != NULL ? json_string(json_root(doc), "result") : NULL;
	if (word != NULL && is_opinion(word)) {
		snprintf(t->job->opinion, sizeof t->job->opinion, "%s", word);
		task_end(t);
	} else {
		task_crashed(t, "a result that is none");
	}
	json_free(doc);
}

/* The child has ended, and said all it had to say. */
static void
round_over(struct task *t)
{
	char death[64];
	const char *why = t->slow      ? "time limit"
			  : t->endless ? "an answer without end"
				       : judge_death(death, t->status);
	const char *json;
	size_t len;

	if (why != NULL) {
		task_crashed(t, why);
		return;
	}
	switch (judge_get_answer(t->book, t->answer.s, t->answer.len, &json, &len, &why)) {
	case JUDGE_NEEDS:
		if (++t->rounds > ROUNDS_MAX)
			task_crashed(t, "comes to no end");
		else
			ask(t);
		break;
	case JUDGE_RESULT:
		take_result(t, json, len);
		break;
	case JUDGE_LIES:
		task_crashed(t, why);
		break;
	}
}

/* Of a task that is judged. */
static void
judge_end(struct task *t)
{
	struct pool *p = t->job->pool;

	TAILQ_REMOVE(&p->judged, t, link);
	p->n_judged--;
	evtimer_del(t->timer);
	if (t->readable != NULL)
		answer_close(t);
}

void
pool_child(struct pool *p, uint64_t id, int wait_status)
{
	struct task *t;

	TAILQ_FOREACH(t, &p->judged, link)
	{
		if (t->id != id)
			continue;
		t->exited = true;
		t->status = wait_status;
		wake(p);
		return;
	}
}

/* --- life of a job -------------------------------------------------------------------------------------- */

static void
job_free(struct job *j)
{
	struct pool *p = j->pool;

	for (unsigned i = 0; i < POOL_JUDGES; i++) {
		struct task *t = &j->task[i];

		if (t->state == TASK_IN_LINE)
			TAILQ_REMOVE(&p->line, t, link);
		if (t->state == TASK_JUDGED) {
			nursery_kill(p->config.nursery, t->id);
			judge_end(t);
		}
		if (t->state == TASK_ASKING)
			resolve_cancel(t->asking);
		lookups_free(t->book);
		strbuf_clear(&t->answer);
		event_free(t->timer);
	}
	TAILQ_REMOVE(&p->jobs, j, link);
	p->n--;
	event_free(j->deadline);
	close(j->message);
	strbuf_clear(&j->results);
	free(j);
}

static void
job_end(struct job *j, const char *gave_up)
{
	struct pool_end end = { .facts = &j->facts,
		.ms = (clock_monotonic() - j->began) / 1000,
		.opinion = j->opinion[0] != '\0' ? j->opinion : NULL,
		.why = j->crash[0] != '\0' ? j->crash : NULL };

	if (gave_up != NULL) {
		end.gave_up = true;
		end.opinion = NULL;
		end.why = gave_up;
	} else if (j->results.len > 0) {
		end.results = j->results.s;
		end.results_len = j->results.len;
	}
	j->pool->config.ended(j->pool->config.ctx, &end);
	job_free(j);
}

/* First the lookups have taken too long, then all of it. */
static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct job *j = arg;

	(void)fd;
	(void)what;
	if (j->late) {
		job_end(j, "not judged in time");
		return;
	}
	j->late = true;
	after(j->deadline, j->pool->config.give_up_us);
	for (unsigned i = 0; i < POOL_JUDGES; i++) {
		struct task *t = &j->task[i];

		if (t->state != TASK_ASKING)
			continue;
		resolve_cancel(t->asking);
		t->asking = NULL;
		fail_wanted(t->book);
		put_in_line(t);
	}
}

void
pool_add(struct pool *p, const struct verify_facts *facts, int message)
{
	struct job *j = xcalloc(1, sizeof *j);

	j->pool = p;
	j->facts = *facts;
	j->message = message;
	j->began = clock_monotonic();
	j->deadline = evtimer_new(p->config.base, on_deadline, j);
	after(j->deadline, p->config.lookups_us);
	TAILQ_INSERT_TAIL(&p->jobs, j, link);
	p->n++;
	for (unsigned i = 0; i < POOL_JUDGES; i++) {
		struct task *t = &j->task[i];

		t->job = j;
		t->judge = (enum pool_judge)i;
		t->answer_fd = -1;
		t->timer = evtimer_new(p->config.base, on_slow, t);
		t->book = lookups_new(JUDGE_LOOKUPS_MAX);
		put_in_line(t);
	}
}

static bool
is_over(const struct job *j)
{
	for (unsigned i = 0; i < POOL_JUDGES; i++)
		if (j->task[i].state != TASK_ENDED)
			return false;
	return true;
}

static void
on_pump(evutil_socket_t fd, short what, void *arg)
{
	struct pool *p = arg;
	struct task *t, *next_task;
	struct job *j, *next_job;

	(void)fd;
	(void)what;
	for (t = TAILQ_FIRST(&p->judged); t != NULL; t = next_task) {
		next_task = TAILQ_NEXT(t, link);
		if (!t->eof || !t->exited)
			continue;
		judge_end(t);
		round_over(t);
	}
	while (p->n_judged < p->config.children && (t = TAILQ_FIRST(&p->line)) != NULL) {
		TAILQ_REMOVE(&p->line, t, link);
		judge_begin(t);
	}
	for (j = TAILQ_FIRST(&p->jobs); j != NULL; j = next_job) {
		next_job = TAILQ_NEXT(j, link);
		if (is_over(j))
			job_end(j, NULL);
	}
}

struct pool *
pool_new(const struct pool_config *config)
{
	struct pool *p = xcalloc(1, sizeof *p);

	p->config = *config;
	TAILQ_INIT(&p->jobs);
	TAILQ_INIT(&p->line);
	TAILQ_INIT(&p->judged);
	p->pump = evtimer_new(config->base, on_pump, p);
	return p;
}

void
pool_give_up(struct pool *p, const char *why)
{
	struct job *j;

	while ((j = TAILQ_FIRST(&p->jobs)) != NULL)
		job_end(j, why);
}

void
pool_free(struct pool *p)
{
	struct job *j;

	if (p == NULL)
		return;
	while ((j = TAILQ_FIRST(&p->jobs)) != NULL)
		job_free(j);
	event_free(p->pump);
	free(p);
}

size_t
pool_count(const struct pool *p)
{
	return p->n;
}

const struct verify_facts *
pool_next(const struct pool *p, const void **iter)
{
	const struct job *j = *iter == NULL ? TAILQ_FIRST(&p->jobs)
					    : TAILQ_NEXT((const struct job *)*iter, link);

	*iter = j;
	return j != NULL ? &j->facts : NULL;
}
